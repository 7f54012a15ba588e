import { expect, test } from 'vitest'
import { event, messageItem } from '../../../test/support/answers.ts'
import { RESPONSES_STREAMS, recordedEvents, recordedStreams } from '../../../test/support/recorded.ts'
import type { JsonObject } from '../../json-object.ts'
import { completedItems, fillOutput, ResponsesCollector } from './responses-collector.ts'

function collected(events: Iterable<unknown>): JsonObject {
  const collector = new ResponsesCollector()
  for (const one of events) collector.take(one)
  return collector.finish()
}

/** What the ChatGPT backend makes of it today. */
function emptied(events: readonly JsonObject[]): JsonObject[] {
  return events.map((one) =>
    one.type === 'response.completed' ? { ...one, response: { ...(one.response as JsonObject), output: [] } } : one,
  )
}

const lastResponse = (events: readonly JsonObject[]) => events.at(-1)?.response as JsonObject

const doneItems = (events: readonly JsonObject[]) =>
  events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item)

const WHOLE = recordedStreams(RESPONSES_STREAMS).filter(({ events }) => events.at(-1)?.type === 'response.completed')

test.each(WHOLE)('$name: the Response object is the one of the terminal event, its items in order', ({ events }) => {
  const { output, ...rest } = collected(emptied(events))
  const { output: _empty, ...terminal } = lastResponse(events)
  expect(rest).toEqual(terminal)
  expect(output).toEqual(doneItems(events))
})

test('a filled output is left as it is', () => {
  const events = recordedEvents('resp-text-long-stream')
  expect(collected(events)).toBe(lastResponse(events))
})

test('case 144: without a finished item its text is put together from deltas', () => {
  const { output } = collected([
    event.text(1, 'Hello '),
    event.text(1, 'there', 0),
    event.text(1, '!', 1),
    event.done(0, { type: 'reasoning' }),
    event.completed(),
  ])
  expect(output).toMatchObject([
    { type: 'reasoning' },
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hello there' }, { text: '!' }],
    },
  ])
})

test('case 144: parts are put together in their order, and what has no content_index is the first', () => {
  const { output } = collected([
    event.text(0, 'second', 1),
    { type: 'response.output_text.delta', output_index: 0, delta: 'fir' },
    event.text(0, 'st'),
    event.completed(),
  ])
  expect(output).toMatchObject([{ content: [{ text: 'first' }, { text: 'second' }] }])
})

test('case 144: what has no place or tells no text makes no item', () => {
  const placeless = { ...event.done(0, messageItem('Hi')), output_index: undefined }
  const textless = { type: 'response.output_text.delta', output_index: 0, delta: null }
  expect(collected([placeless, textless, event.completed()])).toMatchObject({ output: [] })
})

/** Streams of each kind of item that is told in deltas. */
const IN_DELTAS = WHOLE.filter(({ name }) =>
  ['resp-text-long-stream', 'resp-refusal-stream', 'resp-parallel-two-stream', 'made-custom-tool-stream'].includes(
    name,
  ),
)

test.each(IN_DELTAS)('case 144: $name: items are put together from their deltas alone', ({ events }) => {
  const deltas = events.filter(({ type }) => !/\.done$/.test(String(type)))
  const { output } = collected(emptied(deltas))
  // Encrypted reasoning has no deltas.
  expect(output).toEqual(doneItems(events).filter((item) => (item as JsonObject).type !== 'reasoning'))
})

test('case 144: what a last telling says of a part or a call takes the place of its deltas', () => {
  const { output } = collected([
    event.text(0, 'Hel'),
    { type: 'response.output_text.done', output_index: 0, content_index: 0, text: 'Hello' },
    { type: 'response.output_item.added', output_index: 1, item: { type: 'function_call', name: 'f', arguments: '' } },
    { type: 'response.function_call_arguments.delta', output_index: 1, delta: '{' },
    { type: 'response.function_call_arguments.done', output_index: 1, arguments: '{}' },
    { type: 'response.refusal.done', output_index: 2, content_index: 0, refusal: 'No.' },
    { type: 'response.output_item.added', output_index: 3, item: { type: 'custom_tool_call', name: 'c', input: '' } },
    { type: 'response.custom_tool_call_input.done', output_index: 3, input: 'in' },
    { type: 'response.output_item.added', output_index: 4, item: { type: 'reasoning', summary: [] } },
    event.done(5, { type: 'message', content: [] }),
    event.text(5, 'after its end'),
    { type: 'response.function_call_arguments.delta', output_index: 6, delta: 'of a call without a name' },
    event.completed(),
  ])
  expect(output).toMatchObject([
    { type: 'message', content: [{ type: 'output_text', text: 'Hello' }] },
    { type: 'function_call', name: 'f', arguments: '{}', status: 'completed' },
    { type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] },
    { type: 'custom_tool_call', name: 'c', input: 'in' },
    { type: 'message', content: [] },
  ])
})

test('case 144: a call that an answer was cut in is not called completed', () => {
  const item = { type: 'function_call', name: 'f', call_id: 'c', arguments: '' }
  const { output } = collected([
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{"a' },
    { type: 'response.incomplete', response: { status: 'incomplete', output: [] } },
  ])
  expect(output).toEqual([{ ...item, arguments: '{"a', status: 'incomplete' }])
})

test('case 132, 144: the arguments that a call was announced with are its own', () => {
  const item = { type: 'function_call', name: 'f', call_id: 'c', arguments: '{"a":1}' }
  const { output } = collected([{ type: 'response.output_item.added', output_index: 0, item }, event.completed()])
  expect(output).toEqual([{ ...item, status: 'completed' }])
})

test('case 155: the response is that of the terminal event, not of one seen before or after', () => {
  const late = { type: 'response.in_progress', response: { id: 'resp_other' } }
  const response = collected([
    event.created,
    event.completed({ id: 'resp_1' }),
    late,
    event.completed({ id: 'resp_2' }),
  ])
  expect(response).toMatchObject({ id: 'resp_1', status: 'completed' })
})

test('an incomplete response is an answer', () => {
  expect(collected(recordedEvents('resp-incomplete-length-stream'))).toMatchObject({ status: 'incomplete' })
})

test('a failed response is the error it stands for', () => {
  const collector = new ResponsesCollector()
  const take = () => {
    for (const one of recordedEvents('made-overloaded-stream')) collector.take(one)
  }
  expect(take).toThrow(
    expect.objectContaining({ status: 503, code: 'server_is_overloaded', headers: { 'retry-after': '2' } }),
  )
  expect(collector.ended).toBe(true)
})

test('a stream that breaks off is an error', () => {
  expect(() => collected([event.created, event.text(0, 'Half')])).toThrow(
    expect.objectContaining({ code: 'upstream_stream_cut' }),
  )
})

test('a terminal event without a response is an error', () => {
  expect(() => collected([{ type: 'response.completed' }])).toThrow(
    expect.objectContaining({ code: 'upstream_invalid' }),
  )
})

test('it is visible and ended no earlier than it is', () => {
  const collector = new ResponsesCollector()
  const states = [event.created, event.text(0, 'Hi'), { type: 'keepalive' }, event.completed()].map((one) => {
    collector.take(one)
    return [collector.visible, collector.ended]
  })
  expect(states).toEqual([
    [false, false],
    [true, false],
    [true, false],
    [true, true],
  ])
})

test('case 152: what the answer has used is known', () => {
  const collector = new ResponsesCollector()
  collector.take(event.completed({ usage: { input_tokens: 3, output_tokens: 2 } }))
  expect(collector.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 2 })
})

test('case 161: a limit within a 200 says when it ends, told by the headers of the answer', () => {
  const headers = { 'x-codex-primary-used-percent': '100', 'x-codex-primary-reset-after-seconds': '60' }
  const collector = new ResponsesCollector({ headers, now: 0 })
  const failed = { type: 'response.failed', response: { error: { code: 'usage_limit_reached', message: 'Limit.' } } }
  expect(() => collector.take(failed)).toThrow(
    expect.objectContaining({ headers: expect.objectContaining({ 'retry-after': '60' }) }),
  )
})

test('case 162, 177: a failure shows nothing, so that overload can be tried again', () => {
  const collector = new ResponsesCollector()
  collector.take(event.created)
  const failed = { type: 'response.failed', response: { error: { code: 'server_is_overloaded', message: 'Busy.' } } }
  expect(() => collector.take(failed)).toThrow('Busy.')
  expect(collector.visible).toBe(false)
})

test('the terminal event of a stream gets the items that went before, all else is kept', () => {
  const events = emptied(recordedEvents('resp-misc-rotating-ids-stream'))
  const terminal = events.at(-1)
  const done = events.filter(({ type }) => type === 'response.output_item.done')
  const filled = fillOutput(terminal, completedItems(done)) as JsonObject
  expect(filled.response).toMatchObject({ output: doneItems(events) })
  expect(Object.keys(filled)).toEqual(Object.keys(terminal ?? {}))
})

test.each([
  ['its output is filled', event.completed({ output: [messageItem('Hi')] })],
  ['there is nothing to fill it with', event.completed({ output: [] })],
  ['it has no response', { type: 'error' }],
  ['it is no object', 'text'],
])('a terminal event is left alone when %s', (_case, terminal) => {
  const done = Array.isArray((terminal as { response?: JsonObject }).response?.output)
    ? []
    : [event.done(0, messageItem('Hi'))]
  expect(fillOutput(terminal, completedItems(done))).toBe(terminal)
})
