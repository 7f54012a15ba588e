import { expect, test } from 'vitest'
import { answer, callItem, event, messageItem, messageOf } from '../../../test/support/answers.ts'
import type { JsonObject } from '../../json-object.ts'

const thought: JsonObject = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] }
const [one, two, three] = ['One.', 'Two.', 'Three.'].map((text) => messageItem(text))
const ended = (...output: unknown[]) => event.completed({ output })

test.each([
  ['an index was skipped', [event.done(0, messageItem('One.')), event.done(2, messageItem('Two.'))], [one, two]],
  ['reasoning had no event', [event.text(0, 'One.\n\nTwo.')], [thought, messageItem('One.\n\nTwo.')]],
  ['an index was skipped and the last message had no event', [event.done(0, messageItem('One.'))], [one, two]],
  ['nothing but the first message had events', [event.text(0, 'One.')], [thought, one, two]],
  ['the second message was never whole', [event.text(0, 'One.'), event.text(3, 'Two.')], [thought, one, two]],
])('case 137, 144: text is told once where %s', (_case, events, output) => {
  expect(messageOf([...events, ended(...output)]).content).toBe('One.\n\nTwo.')
})

test('case 137, 144: reasoning is told once where an item before it had no event', () => {
  const message = messageOf([
    event.reasoning(0, 0, 'Hm.'),
    event.text(1, 'One.'),
    ended(callItem('c', '{}'), thought, one),
  ])
  expect(message).toMatchObject({ reasoning_content: 'Hm.', content: 'One.', tool_calls: [{ id: 'c' }] })
})

test('case 137, 141: what was told whole is not told again where the last event lists it beside something new', () => {
  const image = { type: 'image_generation_call', result: 'aGk=' }
  for (const index of [0, 1]) {
    const events = [event.done(index, image), ended(image, one)]
    expect(messageOf(events)).toMatchObject({ content: 'One.', images: [{}] })
  }
})

test('case 144: a message that is listed at its place is that one, whatever is listed before it', () => {
  const events = [event.done(2, messageItem('Three.')), ended(one, two, three)]
  expect(messageOf(events).content).toBe('Three.\n\nOne.\n\nTwo.')
})

test('case 144: of messages that opened out of order each gets its own text', () => {
  const events = [event.text(5, 'Two.'), event.added(3, messageItem('')), ended(one, two)]
  expect(messageOf(events).content).toBe('Two.\n\nOne.')
})

test('case 144: a call that was only begun gets its arguments where it is listed at its place', () => {
  const events = [event.added(0, callItem('call_1', '')), ended(callItem('call_1', '{"a":1}'), one)]
  expect(messageOf(events).tool_calls).toMatchObject([{ function: { arguments: '{"a":1}' } }])
})

test('case 106, 144: reasoning that only the last event tells led to the call listed after it', () => {
  const encrypted = { ...thought, encrypted_content: 'gAAAA' }
  const call = callItem('call_1', '{}')
  const { stream } = answer([event.done(1, call), ended(encrypted, call)])
  expect(stream.reasonedCalls).toMatchObject([{ call: { callId: 'call_1' }, items: [encrypted] }])
})

test('case 144: a call that was only begun gets its own arguments, wherever it is listed', () => {
  const events = [event.added(1, callItem('call_1', '')), event.done(2, callItem('call_2', '{"b":2}'))]
  const output = [callItem('call_1', '{"a":1}'), callItem('call_2', '{"b":2}')]
  expect(messageOf([...events, ended(...output)]).tool_calls).toMatchObject([
    { id: 'call_1', function: { arguments: '{"a":1}' } },
    { id: 'call_2', function: { arguments: '{"b":2}' } },
  ])
})
