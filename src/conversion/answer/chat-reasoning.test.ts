import { expect, test } from 'vitest'
import { answer, chatPlan, deltasOf, event, messageOf } from '../../../test/support/answers.ts'
import { recordedEvents } from '../../../test/support/recorded.ts'
import { ChatStream } from './chat-stream.ts'

test('case 112: a reasoning summary is reasoning_content, never content', () => {
  const message = messageOf([event.reasoning(0, 0, 'Let me think.'), event.text(1, 'Done.'), event.completed()])
  expect(message).toMatchObject({ content: 'Done.', reasoning_content: 'Let me think.' })
})

test('case 113: summary parts are separated by a blank line, also across items', () => {
  const thoughts = [
    event.reasoning(0, 0, 'One'),
    event.reasoning(0, 0, ' two'),
    event.reasoning(0, 1, 'Three'),
    event.reasoning(2, 0, 'Four'),
  ]
  expect(messageOf([...thoughts, event.completed()]).reasoning_content).toBe('One two\n\nThree\n\nFour')
})

test('case 114: placeholder lines are left out of summaries, however they are cut', () => {
  const message = messageOf(recordedEvents('made-placeholder-summary-stream'))
  expect(message.reasoning_content).toBe('**Plan**\n\n<!- - no\n\n**Next**\ngo')
})

test('case 115: a switch leaves reasoning out', () => {
  const { chunks } = answer(recordedEvents('chatgpt-reasoning-stream'), { showReasoning: false })
  expect(JSON.stringify(chunks)).not.toContain('reasoning_content')
})

test('case 116: without reasoning there is no field for it', () => {
  const { chunks, completion } = answer(recordedEvents('chatgpt-text-stream'))
  expect(JSON.stringify([chunks, completion])).not.toContain('reasoning_content')
})

test('a summary told only as a whole is shown once, whichever events tell it', () => {
  const part = { type: 'summary_text', text: 'Whole.' }
  const events = [
    { type: 'response.reasoning_summary_text.done', output_index: 0, summary_index: 0, text: 'Whole.' },
    { type: 'response.reasoning_summary_part.done', output_index: 0, summary_index: 0, part },
    event.done(0, { type: 'reasoning', summary: [part] }),
    event.completed({ output: [{ type: 'reasoning', summary: [part] }] }),
  ]
  for (let first = 0; first < events.length; first++) {
    const rest = events.slice(first)
    expect(messageOf(rest).reasoning_content).toBe('Whole.')
  }
})

test.each([
  ['summary', { type: 'response.reasoning_summary_text.done', summary_index: 1, text: 'Two.' }],
  ['summary', { type: 'response.reasoning_summary_part.done', summary_index: 1, part: { text: 'Two.' } }],
  ['content', { type: 'response.reasoning_text.done', content_index: 1, text: 'Two.' }],
])('a second part of the %s is told as soon as it is known whole, and once: %j', (field, second) => {
  const { type } = second
  const first = { type, output_index: 0, text: 'One.', part: { text: 'One.' } }
  const stream = new ChatStream(chatPlan(), 0)
  stream.convert(first)
  expect(deltasOf(stream.convert({ output_index: 0, ...second }))).toEqual([{ reasoning_content: '\n\nTwo.' }])
  const parts = ['One.', 'Two.'].map((text) => ({ text }))
  expect(stream.convert(event.done(0, { type: 'reasoning', [field]: parts }))).toEqual([])
})

test('an event with both a text and a part tells its text', () => {
  const told = { type: 'response.reasoning_summary_text.done', output_index: 0, text: 'One.', part: {} }
  expect(messageOf([told, event.completed()]).reasoning_content).toBe('One.')
})

test('reasoning told only by its item is shown', () => {
  const item = { type: 'reasoning', summary: [], content: ['One.', 'Two.'].map((text) => ({ text })) }
  expect(messageOf([event.done(0, item), event.completed()]).reasoning_content).toBe('One.\n\nTwo.')
})

test('an empty delta is no reasoning', () => {
  const item = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Whole.' }] }
  expect(messageOf([event.reasoning(0, 0, ''), event.done(0, item), event.completed()]).reasoning_content).toBe(
    'Whole.',
  )
})

test('case 113, 114: what began like a placeholder is told at the end of its part, before the next one', () => {
  const partDone = { type: 'response.reasoning_summary_part.done', output_index: 0, summary_index: 0 }
  const events = [
    event.reasoning(0, 0, 'One\n<'),
    { ...partDone, part: { type: 'summary_text', text: 'One\n<' } },
    event.reasoning(0, 1, 'Two'),
  ]
  expect(messageOf([...events, event.completed()]).reasoning_content).toBe('One\n<\n\nTwo')
})

test.each([
  ['response.reasoning_summary_text.delta', 'summary_index'],
  ['response.reasoning_text.delta', 'content_index'],
])('a %s is live within a line, in the part that was told last', (type, partField) => {
  const stream = new ChatStream(chatPlan(), 0)
  const live = (part: number, delta: string) => {
    stream.convert({ type, output_index: 2, [partField]: part, delta })
    return stream.liveDelta(type)
  }
  const place = { outputIndex: 2, partField, delta: { reasoning_content: '' }, kind: 'reasoning' }
  expect(live(0, 'One')).toEqual({ ...place, part: 0 })
  expect(live(1, '')).toBeUndefined()
  expect(live(1, 'Two')).toEqual({ ...place, part: 1 })
  expect(live(1, '\n')).toBeUndefined()
})

test('nothing is live after a delta that tells nothing', () => {
  const stream = new ChatStream(chatPlan(), 0)
  stream.convert(event.reasoning(0, 0, 'Summary'))
  stream.convert({ type: 'response.reasoning_text.delta', output_index: 0, content_index: 0, delta: 'Raw' })
  expect(stream.liveDelta('response.reasoning_summary_text.delta')).toBeUndefined()
})

test('of a summary and the reasoning itself only the one that came first is told', () => {
  const raw = { type: 'response.reasoning_text.delta', output_index: 0, content_index: 0, delta: 'Raw' }
  const summary = event.reasoning(0, 0, 'Summary')
  expect(messageOf([raw, summary, event.completed()]).reasoning_content).toBe('Raw')
  expect(messageOf([summary, raw, event.completed()]).reasoning_content).toBe('Summary')
  const item = { type: 'reasoning', summary: [{ text: 'Summary' }], content: [{ text: 'Raw' }, { text: 'More' }] }
  expect(messageOf([event.done(0, item), event.completed()]).reasoning_content).toBe('Summary')
})
