import { expect, test } from 'vitest'
import {
  answer,
  callItem,
  chatPlan,
  event,
  finishReasonOf,
  messageItem,
  messageOf,
} from '../../../test/support/answers.ts'
import { recordedEvents } from '../../../test/support/recorded.ts'
import { ChunkHead } from './chat-chunk.ts'
import { ChatStream } from './chat-stream.ts'

test('case 144: an empty output is filled from what was streamed', () => {
  expect(messageOf(recordedEvents('made-several-parts-stream')).content).toBe('Ä😀 one. Two more.')
})

test('case 145: all parts of all messages are joined', () => {
  const item = { ...messageItem('A'), content: ['A', 'B'].map((text) => ({ type: 'output_text', text })) }
  expect(messageOf([event.done(0, item), event.done(1, messageItem('C')), event.completed()]).content).toBe('AB\n\nC')
})

test('case 146: content is null only with a call or a refusal', () => {
  expect(messageOf([event.completed()]).content).toBe('')
  expect(messageOf([event.refusal(0, 'No'), event.completed()]).content).toBeNull()
  expect(messageOf([event.done(0, callItem('call_1', '{}')), event.completed()]).content).toBeNull()
})

test('case 147: several items make one choice', () => {
  expect(answer(recordedEvents('resp-hosted-mcp-stream')).completion.choices).toHaveLength(1)
})

test.each([
  ['tool_calls', [event.done(0, callItem('call_1', '{}')), event.completed()]],
  ['stop', [event.text(0, 'Hi'), event.completed()]],
  ['length', recordedEvents('resp-incomplete-length-stream')],
  ['content_filter', recordedEvents('made-content-filter-stream')],
  ['length', [event.added(0, callItem('call_1', '')), { type: 'response.incomplete', response: {} }]],
  ['length', [event.text(0, 'Hi'), { type: 'response.done', response: { status: 'incomplete' } }]],
  ['stop', [event.text(0, 'Hi'), { type: 'response.done', response: {} }]],
])('case 148: the finish reason is %s', (reason, events) => {
  expect(finishReasonOf(answer(events).chunks)).toBe(reason)
})

test('case 149: an incomplete answer ends like any other', () => {
  const { chunks, stream } = answer(recordedEvents('resp-incomplete-length-stream'))
  expect(stream.ended).toBe(true)
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('length')
})

test('a call that was cut off gets no arguments made up', () => {
  const cut = [event.added(0, callItem('call_1', '')), { type: 'response.incomplete', response: {} }]
  expect(messageOf(cut).tool_calls).toMatchObject([{ function: { arguments: '' } }])
})

test('case 151: usage is in the last chunk, and null before it, only when asked for', () => {
  const events = recordedEvents('chatgpt-text-stream')
  const asked = answer(events, { includeUsage: true }).chunks
  expect(asked.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 2239, completion_tokens: 15 } })
  expect(asked.slice(0, -1).every(({ usage }) => usage === null)).toBe(true)
  expect(answer(events).chunks.every((chunk) => !('usage' in chunk))).toBe(true)
})

test('case 153: the model is the one upstream names', () => {
  expect(answer(recordedEvents('chatgpt-text-stream')).completion.model).toBe('gpt-5-2025-08-07')
})

test('case 154: system_fingerprint and logprobs are null, service_tier is the tier that served', () => {
  const early = { ...event.created, response: { service_tier: 'auto' } }
  const { chunks } = answer([early, event.text(0, 'Hi'), event.completed({ service_tier: 'priority' })])
  expect(chunks[0]).toMatchObject({
    service_tier: 'default',
    system_fingerprint: null,
    choices: [{ logprobs: null }],
  })
  expect(chunks.at(-1)?.service_tier).toBe('priority')
  expect(answer([early, event.completed()]).completion.service_tier).toBe('default')
  expect(answer([event.completed()]).completion.service_tier).toBeNull()
})

test('case 161: a limit within a 200 says when it ends, told by the headers of the answer', () => {
  const headers = { 'x-codex-primary-used-percent': '100', 'x-codex-primary-reset-after-seconds': '60' }
  const stream = new ChatStream(chatPlan(), 0, new ChunkHead('gpt-5.5'), { headers, now: 0 })
  const failed = { type: 'response.failed', response: { error: { code: 'usage_limit_reached', message: 'Limit.' } } }
  expect(() => stream.convert(failed)).toThrow(
    expect.objectContaining({ headers: expect.objectContaining({ 'retry-after': '60' }) }),
  )
})

test('case 166: an answer without a terminal event is an error, also after text', () => {
  expect(() => answer([event.created, event.text(0, 'Half an')])).toThrow(
    expect.objectContaining({ code: 'upstream_stream_cut' }),
  )
})

test('case 142: a stream that breaks within a call gets no finish chunk', () => {
  const stream = new ChatStream(chatPlan(), 0)
  const chunks = [event.added(0, callItem('call_1', '')), event.arguments(0, '{"a":')].flatMap((one) =>
    stream.convert(one),
  )
  expect(finishReasonOf(chunks)).toBeUndefined()
  expect(() => stream.finish()).toThrow(expect.objectContaining({ code: 'upstream_stream_cut' }))
})

test('an error event and the response.failed after it are one error', () => {
  const stream = new ChatStream(chatPlan(), 0)
  const [created, progress, error, failed] = recordedEvents('resp-failed-quota-stream')
  stream.convert(created)
  stream.convert(progress)
  expect(stream.visible).toBe(false)
  expect(() => stream.convert(error)).toThrow(expect.objectContaining({ code: 'insufficient_quota', status: 429 }))
  expect([stream.convert(failed), stream.finish()]).toEqual([[], []])
})
