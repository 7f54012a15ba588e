import { expect, test } from 'vitest'
import { answer, callItem, deltasOf, event, messageItem, messageOf } from '../../../test/support/answers.ts'

const SILENT = [{ role: 'assistant', content: '', refusal: null }, {}]
const annotation = { type: 'url_citation', url: 'https://a.example' }
const reasoning = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] }

const TELLING = [
  event.text(0, 'Hi'),
  { type: 'response.output_text.done', output_index: 0, text: 'Hi' },
  { type: 'response.content_part.done', output_index: 0, part: { type: 'output_text', text: 'Hi' } },
  event.refusal(0, 'No.'),
  { type: 'response.refusal.done', output_index: 0, refusal: 'No.' },
  event.reasoning(0, 0, 'Hm.'),
  { type: 'response.reasoning_summary_text.done', output_index: 0, text: 'Hm.' },
  { type: 'response.reasoning_text.delta', output_index: 0, delta: 'Hm.' },
  { type: 'response.reasoning_text.done', output_index: 0, text: 'Hm.' },
  event.added(0, callItem('call_1', '{}')),
  event.done(0, messageItem('Hi')),
  event.done(0, callItem('call_1', '{}')),
  event.done(0, reasoning),
]

test.each(TELLING)('%j tells something, but nothing without its place', (one) => {
  expect(deltasOf(answer([one, event.completed()]).chunks)).not.toEqual(SILENT)
  expect(deltasOf(answer([{ ...one, output_index: undefined }, event.completed()]).chunks)).toEqual(SILENT)
})

test.each(TELLING)('%j tells nothing without what it tells', (one) => {
  const nothing = { delta: null, text: null, refusal: null, part: null, item: null }
  expect(deltasOf(answer([{ ...one, ...nothing }, event.completed()]).chunks)).toEqual(SILENT)
})

test.each([{ output_index: undefined }, { delta: null }])('arguments with %j belong to no call', (lacking) => {
  const events = [{ ...event.arguments(0, '!'), ...lacking }, event.added(0, callItem('call_1', '')), event.completed()]
  expect(messageOf(events).tool_calls).toMatchObject([{ function: { arguments: '{}' } }])
})

test('the end of arguments that does not tell them again leaves those that came', () => {
  const ended = { type: 'response.function_call_arguments.done', output_index: 0 }
  const events = [event.added(0, callItem('call_1', '')), event.arguments(0, '{"a":1}'), ended, event.completed()]
  expect(messageOf(events).tool_calls).toMatchObject([{ function: { arguments: '{"a":1}' } }])
})

test.each(['call_id', 'name'])('a call without its %s is none: a client could not answer it', (field) => {
  const { chunks } = answer([event.done(0, { ...callItem('call_1', '{}'), [field]: null }), event.completed()])
  expect(deltasOf(chunks)).toEqual(SILENT)
})

test('case 139: a citation without its place, or of a message that has no text yet, is none', () => {
  const added = { type: 'response.output_text.annotation.added', annotation }
  const events = [{ ...added, output_index: 0 }, event.text(0, 'Hi'), added, event.completed()]
  expect(messageOf(events).annotations).toEqual([])
})
