import { expect, test } from 'vitest'
import { answer, callItem, chatPlan, deltasOf, event, messageItem, messageOf } from '../../../test/support/answers.ts'
import { recordedEvents } from '../../../test/support/recorded.ts'
import { ChatStream } from './chat-stream.ts'

const commentary = [event.added(0, messageItem('', 'commentary')), event.text(0, 'Looking '), event.text(0, 'it up.')]
const final = [event.added(2, messageItem('', 'final_answer')), event.text(2, 'It is 42.')]

test('case 117: planning text is not glued to the answer', () => {
  const message = messageOf([...commentary, ...final, event.completed()])
  expect(message).toMatchObject({ content: 'It is 42.', reasoning_content: 'Looking it up.' })
})

test.each([
  event.text(2, 'It is 42.'),
  { type: 'response.output_text.done', output_index: 2, text: 'It is 42.' },
  event.done(2, messageItem('It is 42.')),
  { type: 'response.refusal.delta', output_index: 2, delta: 'No.' },
  event.text(2, ''),
])('case 117: commentary is reasoning once another message opens, which %j alone tells', (opens) => {
  const stream = new ChatStream(chatPlan(), 0)
  for (const one of commentary) stream.convert(one)
  expect(deltasOf(stream.convert(opens))[1]).toEqual({ reasoning_content: 'Looking it up.' })
})

test('case 117: the phase analysis is commentary too', () => {
  const analysis = [event.added(0, messageItem('', 'analysis')), event.text(0, 'Hm.')]
  expect(messageOf([...analysis, ...final, event.completed()]).reasoning_content).toBe('Hm.')
})

test('case 118: before a tool call commentary is content', () => {
  const { chunks, completion } = answer(recordedEvents('resp-phase-commentary-then-tool-stream'))
  expect(completion.choices[0]?.message.content).toBe('I’ll check the capital lookup tool for “PotatoLand.”')
  const told = deltasOf(chunks).map((delta) => Object.keys(delta).join())
  expect(told.indexOf('content')).toBeLessThan(told.indexOf('tool_calls'))
})

test('case 118: commentary that is the whole answer is content', () => {
  expect(messageOf(recordedEvents('made-commentary-only-stream'))).toMatchObject({ content: 'Working on it.' })
})

test.each([
  ['that is told whole', event.done(0, callItem('call_1', '{}'))],
  ['that is announced again', event.added(0, callItem('call_1', ''))],
])('case 118: a call opened before the commentary %s decides nothing', (_how, told) => {
  const later = [event.added(1, messageItem('', 'commentary')), event.text(1, 'Looking it up.')]
  const message = messageOf([event.added(0, callItem('call_1', '')), ...later, told, ...final, event.completed()])
  expect(message).toMatchObject({ content: 'It is 42.', reasoning_content: 'Looking it up.' })
})

test("case 118: a hosted tool's item decides nothing", () => {
  const message = messageOf(recordedEvents('made-commentary-then-answer-stream'))
  expect(message).toMatchObject({ content: 'It is 42.', reasoning_content: 'Let me look that up.' })
})

test('case 118: commentary after a refusal is reasoning', () => {
  const refusal = { type: 'response.refusal.delta', output_index: 0, content_index: 0, delta: 'No.' }
  const remark = [event.added(1, messageItem('', 'commentary')), event.text(1, 'Hm.')]
  expect(messageOf([refusal, ...remark, event.completed()])).toMatchObject({
    content: null,
    refusal: 'No.',
    reasoning_content: 'Hm.',
  })
})

test('case 118: commentary after a whole answer is reasoning', () => {
  const message = messageOf([
    event.text(0, 'Answer.'),
    event.added(1, messageItem('', 'commentary')),
    event.text(1, 'Bye.'),
    event.completed(),
  ])
  expect(message).toMatchObject({ content: 'Answer.', reasoning_content: 'Bye.' })
})

test('commentary goes on as content once a call has opened within it', () => {
  const events = [...commentary, event.added(1, callItem('call_1', '')), event.text(0, ' Now.'), event.completed()]
  expect(messageOf(events).content).toBe('Looking it up. Now.')
})

test('commentary that a call made content stays so when another message opens', () => {
  const events = [...commentary, event.added(1, callItem('call_1', '')), event.added(2, messageItem(''))]
  expect(messageOf([...events, event.text(0, ' Now.'), event.completed()])).toMatchObject({
    content: 'Looking it up. Now.',
  })
})

test('commentary without text puts no blank line before a call', () => {
  const events = [event.text(0, 'Hi.'), event.added(1, messageItem('', 'commentary'))]
  expect(messageOf([...events, event.done(2, callItem('call_1', '{}')), event.completed()]).content).toBe('Hi.')
})

test('of two commentaries before a call the last one is content', () => {
  const second = [event.added(1, messageItem('', 'commentary')), event.text(1, 'Calling.')]
  const message = messageOf([...commentary, ...second, event.done(2, callItem('call_1', '{}')), event.completed()])
  expect(message).toMatchObject({ content: 'Calling.', reasoning_content: 'Looking it up.' })
})

test('case 113: commentaries that became reasoning are a blank line apart', () => {
  const second = [event.added(1, messageItem('', 'commentary')), event.text(1, 'Found it.')]
  const message = messageOf([...commentary, ...second, ...final, event.completed()])
  expect(message.reasoning_content).toBe('Looking it up.\n\nFound it.')
})

test('commentary is held until its fate is known', () => {
  const stream = new ChatStream(chatPlan(), 0)
  expect(commentary.flatMap((one) => stream.convert(one))).toEqual([])
  expect(stream.visible).toBe(true)
  expect(stream.liveDelta('response.output_text.delta')).toBeUndefined()
})

test('case 119: text without a phase is content at once', () => {
  const stream = new ChatStream(chatPlan(), 0)
  stream.convert(event.added(0, messageItem('')))
  expect(deltasOf(stream.convert(event.text(0, 'Hi'))).at(-1)).toEqual({ content: 'Hi' })
})

test('case 119: messages are separated by a blank line', () => {
  const events = [
    event.text(0, 'One'),
    event.added(1, messageItem('')),
    event.text(1, 'Two'),
    event.text(1, '.'),
    event.completed(),
  ]
  expect(messageOf(events).content).toBe('One\n\nTwo.')
})

test('case 99: with a JSON response_format only the first message is content', () => {
  const { content } = messageOf(recordedEvents('resp-text-two-messages-stream'), { jsonOutput: true })
  expect(JSON.parse(content ?? '')).toMatchObject({ title: 'Mistborn: The Final Empire' })
})

test('case 99: with a JSON response_format commentary is never content', () => {
  expect(messageOf([...commentary, event.completed()], { jsonOutput: true })).toMatchObject({
    content: '',
    reasoning_content: 'Looking it up.',
  })
  const withCall = [...commentary, event.done(1, callItem('call_1', '{}')), event.completed()]
  expect(messageOf(withCall, { jsonOutput: true }).content).toBeNull()
})
