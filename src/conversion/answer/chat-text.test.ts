import { expect, test } from 'vitest'
import {
  answer,
  chatPlan,
  deltasOf,
  event,
  finishReasonOf,
  messageItem,
  messageOf,
} from '../../../test/support/answers.ts'
import { recordedEvents } from '../../../test/support/recorded.ts'
import { ChatStream } from './chat-stream.ts'

test('case 137: text that came in no delta is told once, whichever events tell it', () => {
  const part = { type: 'output_text', text: 'Whole.' }
  const at = { output_index: 0, content_index: 0 }
  const events = [
    { type: 'response.output_text.done', ...at, text: 'Whole.' },
    { type: 'response.content_part.done', ...at, part },
    event.done(0, messageItem('Whole.')),
    event.completed({ output: [messageItem('Whole.')] }),
  ]
  for (let first = 0; first < events.length; first++) expect(messageOf(events.slice(first)).content).toBe('Whole.')
})

const textDone = (output_index: number, text: string) => ({ type: 'response.output_text.done', output_index, text })

test.each([
  [{ content: 'Whole.' }, textDone(0, 'Whole.')],
  [
    { content: 'Whole.' },
    { type: 'response.content_part.done', output_index: 0, part: { type: 'output_text', text: 'Whole.' } },
  ],
  [{ content: 'Whole.' }, event.done(0, messageItem('Whole.'))],
  [{ refusal: 'No.' }, { type: 'response.refusal.done', output_index: 0, refusal: 'No.' }],
  [
    { refusal: 'No.' },
    { type: 'response.content_part.done', output_index: 0, part: { type: 'refusal', refusal: 'No.' } },
  ],
])('case 137, 138: %j is told as soon as it is known whole: %j', (delta, one) => {
  const stream = new ChatStream(chatPlan(), 0)
  expect(deltasOf(stream.convert(one)).at(-1)).toEqual(delta)
})

test('case 137: what has no content_index is the first part', () => {
  const text = [{ type: 'response.output_text.delta', output_index: 0, delta: 'One.' }]
  const refusal = [{ type: 'response.refusal.delta', output_index: 1, delta: 'No.' }]
  const whole = [messageItem('One.'), { type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }]
  const done = whole.map((item, index) => event.done(index, item))
  expect(messageOf([...text, ...refusal, ...done, event.completed()])).toMatchObject({
    content: 'One.',
    refusal: 'No.',
  })
  expect(messageOf([textDone(0, 'One.'), ...done, event.completed()])).toMatchObject({
    content: 'One.',
    refusal: 'No.',
  })
})

test('case 137: an empty delta is no text', () => {
  expect(messageOf([event.text(0, ''), event.done(0, messageItem('Whole.')), event.completed()]).content).toBe('Whole.')
})

test('case 137: an empty whole is no text', () => {
  const empty = [textDone(0, ''), event.done(1, { type: 'message', content: [{ type: 'output_text', text: '' }] })]
  const told = [event.done(0, messageItem('Whole.')), event.done(2, messageItem('More.')), event.completed()]
  expect(messageOf([...empty, ...told]).content).toBe('Whole.\n\nMore.')
  expect(messageOf([...empty.toReversed(), ...told]).content).toBe('Whole.\n\nMore.')
})

test('case 138: an empty whole is no refusal', () => {
  const item = { type: 'message', content: [{ type: 'refusal', refusal: '' }] }
  expect(messageOf([event.done(0, item), event.completed()])).toMatchObject({ content: '', refusal: null })
})

test('case 137, 138: a refusal that streamed beside a text hides none of it', () => {
  const refusal = { type: 'response.refusal.delta', output_index: 0, content_index: 1, delta: 'No.' }
  const content = [
    { type: 'output_text', text: 'Well.' },
    { type: 'refusal', refusal: 'No.' },
  ]
  const events = [refusal, event.done(0, { type: 'message', content }), event.completed()]
  expect(messageOf(events)).toMatchObject({ content: 'Well.', refusal: 'No.' })
})

test('case 137, 138: an empty delta is no refusal', () => {
  const events = [
    { type: 'response.refusal.delta', output_index: 0, content_index: 0, delta: '' },
    event.done(0, { ...messageItem(''), content: [{ type: 'refusal', refusal: 'No.' }] }),
    event.completed(),
  ]
  expect(messageOf(events)).toMatchObject({ content: null, refusal: 'No.' })
})

test('case 138: a refusal is told as a refusal', () => {
  const { chunks, completion } = answer(recordedEvents('resp-refusal-stream'))
  expect(deltasOf(chunks)[1]).toEqual({ refusal: "I'm" })
  expect(completion.choices[0]?.message).toMatchObject({
    content: null,
    refusal: "I'm sorry, I can't assist with that.",
  })
  expect(completion.choices[0]?.finish_reason).toBe('stop')
})

test('a refusal that came in no delta is told once', () => {
  const item = { type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }
  expect(messageOf([event.done(0, item), event.completed({ output: [item] })]).refusal).toBe('No.')
})

test('refusals of several messages are a blank line apart', () => {
  const refusal = (output_index: number, delta: string) => ({ type: 'response.refusal.delta', output_index, delta })
  const events = [refusal(0, 'N'), refusal(0, 'o.'), refusal(1, 'Never.'), event.completed()]
  expect(messageOf(events).refusal).toBe('No.\n\nNever.')
})

test.each([
  'resp-hosted-web-search-stream',
  'resp-hosted-mcp-stream',
  'resp-hosted-shell-stream',
  'resp-hosted-code-interpreter-stream',
])('case 140: %s shows no call of a hosted tool', (name) => {
  const { chunks } = answer(recordedEvents(name))
  expect(JSON.stringify(chunks)).not.toContain('tool_calls')
  expect(finishReasonOf(chunks)).toBe('stop')
})

test('case 141: a generated image is told once, as a data URL', () => {
  const events = recordedEvents('resp-hosted-image-generation-stream')
  const { chunks, completion } = answer(events)
  expect(deltasOf(chunks).filter(({ images }) => images !== undefined)).toHaveLength(1)
  expect(completion.choices[0]?.message.images?.[0]?.image_url.url).toMatch(/^data:image\/webp;base64,UklGR/)
})

test('case 141: an SVG has the media type of one, without which nothing shows it', () => {
  const image = { type: 'image_generation_call', status: 'completed', result: 'PHN2Zy8+', output_format: 'svg' }
  const { images } = messageOf([event.done(0, image), event.completed()])
  expect(images).toEqual([{ type: 'image_url', image_url: { url: 'data:image/svg+xml;base64,PHN2Zy8+' } }])
})

test.each(['', null])('case 141: a generated image that came to nothing (%j) is not told', (result) => {
  const image = { type: 'image_generation_call', status: 'completed', result }
  expect(messageOf([event.done(0, image), event.completed()])).not.toHaveProperty('images')
})

test('messages that interleave stay apart', () => {
  const events = [event.text(0, 'One'), event.text(0, '.'), event.done(1, messageItem('Two.')), event.text(0, 'Three.')]
  expect(messageOf([...events, event.completed()]).content).toBe('One.\n\nTwo.\n\nThree.')
})
