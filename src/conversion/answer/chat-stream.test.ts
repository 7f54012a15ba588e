import { expect, test } from 'vitest'
import { answer, callItem, chatPlan, deltasOf, event, messageItem } from '../../../test/support/answers.ts'
import { recordedEvents } from '../../../test/support/recorded.ts'
import { ChunkHead } from './chat-chunk.ts'
import { JoinedChunks } from './chat-completion.ts'
import { ChatStream } from './chat-stream.ts'
import type { LiveDelta } from './live-delta.ts'
import { sumUsage } from './usage.ts'

const USAGE = { input_tokens: 3, output_tokens: 2, total_tokens: 5 }

test('case 123: keepalive, vendor and unknown events and padding are ignored', () => {
  const { chunks } = answer(recordedEvents('made-keepalive-stream'))
  expect(deltasOf(chunks)).toEqual([
    { role: 'assistant', content: '', refusal: null },
    { content: 'Still ' },
    { content: 'here.' },
    {},
  ])
  expect(JSON.stringify(chunks)).not.toContain('obfuscation')
})

test('case 124: id, created and model are those of the first response, for all chunks', () => {
  const other = { id: 'resp_2', created_at: 5, model: 'another', status: 'completed' }
  const { chunks } = answer([event.created, event.text(0, 'Hi'), event.completed(other)], { includeUsage: true })
  for (const chunk of chunks)
    expect(chunk).toMatchObject({ id: 'chatcmpl-1', created: 1_790_000_000, model: 'gpt-5.5' })
})

test.each([
  ['the first event that tells it is not the first of all', { type: 'response.in_progress' }, 'chatcmpl-1'],
  ['only the last event tells it', { type: 'response.output_item.added' }, 'chatcmpl-unknown'],
])('case 124: all chunks have one id where %s', (_case, first, id) => {
  const begun = { ...first, response: { ...event.created.response } }
  const last = event.completed({ id: 'resp_last', created_at: 5, model: 'another' })
  const { chunks } = answer([begun, event.text(0, 'Hi'), last], { includeUsage: true })
  expect(new Set(chunks.map((chunk) => chunk.id))).toEqual(new Set([id]))
  expect(new Set(chunks.map((chunk) => `${chunk.created} ${chunk.model}`)).size).toBe(1)
})

test('case 124: what upstream tells first stands, before anything is shown too', () => {
  const later = { type: 'response.in_progress', response: { id: 'resp_2', created_at: 5, model: 'another' } }
  const { completion } = answer([event.created, later, event.completed()], { stream: false, model: 'gpt-9' })
  expect(completion).toMatchObject({ id: 'chatcmpl-1', created: 1_790_000_000, model: 'gpt-5.5' })
})

test.each([
  [{ id: 'resp_1', created_at: 1, model: 'a' }, true],
  [{ created_at: 1, model: 'a' }, false],
  [{ id: 'resp_1', model: 'a' }, false],
  [{ id: 'resp_1', created_at: 1 }, false],
])('case 124: with %j all that chunks have in common is known: %s; with the first chunk it is', (response, known) => {
  const stream = new ChatStream(chatPlan(), 0)
  stream.convert({ type: 'response.created', response })
  expect(stream.headKnown).toBe(known)
  stream.convert(event.text(0, 'Hi'))
  expect(stream.headKnown).toBe(true)
})

test('case 124: where upstream tells nothing of itself the model is the requested one', () => {
  expect(answer([event.completed()], { model: 'gpt-9' }).chunks[0]).toMatchObject({
    id: 'chatcmpl-unknown',
    created: 0,
    model: 'gpt-9',
  })
})

test('case 124: created is a whole number, and no part of an id but its prefix is left out', () => {
  const created = { type: 'response.created', response: { id: 'a_resp_1', created_at: 1.7 } }
  expect(answer([created, event.completed()]).chunks[0]).toMatchObject({ id: 'chatcmpl-a_resp_1', created: 1 })
})

test('case 124: an answer in one piece has the id that only the last event tells', () => {
  const { completion } = answer([event.text(0, 'Hi'), event.completed({ id: 'resp_last' })], { stream: false })
  expect(completion.id).toBe('chatcmpl-last')
})

test('case 124: the choices of one answer have one id', () => {
  const head = new ChunkHead('gpt-5.5')
  const plan = chatPlan({ choices: 2, includeUsage: true })
  const streams = [new ChatStream(plan, 0, head), new ChatStream(plan, 1, head)]
  const chunks = streams.flatMap((stream, choice) =>
    [
      { ...event.created, response: { id: `resp_of_${choice}` } },
      event.text(0, 'Hi'),
      event.completed({ usage: USAGE }),
    ].flatMap((one) => stream.convert(one)),
  )
  chunks.push(head.usageChunk(sumUsage(streams.map(({ usage }) => usage))))
  expect(new Set(chunks.map(({ id }) => id))).toEqual(new Set(['chatcmpl-of_0']))
  expect(chunks.map(({ choices }) => choices[0]?.index)).toEqual([0, 0, 0, 1, 1, 1, undefined])
  const joined = new JoinedChunks()
  joined.add(chunks.toReversed())
  const { choices } = joined.completion(head, sumUsage([]))
  expect(choices.map(({ index, message }) => [index, message.content])).toEqual([
    [0, 'Hi'],
    [1, 'Hi'],
  ])
  expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 6, completion_tokens: 4, total_tokens: 10 })
})

test.each([
  ['text', event.text(0, 'Hi'), { role: 'assistant', content: '', refusal: null }],
  ['reasoning', event.reasoning(0, 0, 'Hm'), { role: 'assistant', content: '', refusal: null }],
  ['a refusal', event.refusal(0, 'No'), { role: 'assistant', content: null, refusal: '' }],
  ['nothing', event.created, { role: 'assistant', content: '', refusal: null }],
])('case 125: an answer that begins with %s opens in the recorded form, once', (_kind, first, opening) => {
  const { chunks } = answer([first, event.text(0, 'more'), event.completed()])
  expect(deltasOf(chunks)[0]).toEqual(opening)
  expect(deltasOf(chunks).filter(({ role }) => role !== undefined)).toHaveLength(1)
})

test('case 125: an answer that says nothing opens its message too', () => {
  const { chunks } = answer([event.created, event.completed()])
  expect(deltasOf(chunks)).toEqual([{ role: 'assistant', content: '', refusal: null }, {}])
})

test('case 125: an answer that begins with a tool call opens with its header', () => {
  const { chunks } = answer([event.added(0, callItem('call_1', '')), event.completed()])
  const header = { index: 0, id: 'call_1', type: 'function', function: { name: 'lookup', arguments: '' } }
  expect(JSON.stringify(deltasOf(chunks)[0])).toBe(
    JSON.stringify({ role: 'assistant', content: null, tool_calls: [header], refusal: null }),
  )
})

test('case 126: finish_reason is null up to the last chunk', () => {
  const { chunks } = answer(recordedEvents('resp-tool-one-stream'))
  const reasons = chunks.map(({ choices }) => choices[0]?.finish_reason)
  expect(reasons.slice(0, -1).every((reason) => reason === null)).toBe(true)
  expect(reasons.at(-1)).toBe('tool_calls')
})

test.each(['resp-tool-one-stream', 'resp-parallel-two-stream', 'resp-text-then-tool-stream'])(
  'case 127: %s has one finish chunk',
  (name) => {
    const { chunks } = answer(recordedEvents(name))
    expect(chunks.filter(({ choices }) => choices[0]?.finish_reason !== null)).toHaveLength(1)
  },
)

test('case 143: a chunk that finishes carries nothing else', () => {
  const { chunks } = answer(recordedEvents('resp-hosted-web-search-stream'))
  expect(chunks.at(-1)?.choices[0]).toEqual({ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' })
})

test('nothing follows the terminal event', () => {
  const stream = new ChatStream(chatPlan(), 0)
  stream.convert(event.completed())
  expect(stream.ended).toBe(true)
  expect([stream.convert(event.text(0, 'late')), stream.convert(event.completed()), stream.finish()]).toEqual([
    [],
    [],
    [],
  ])
})

test('case 151: the usage chunk comes with the terminal event, once, whether upstream closes or not', () => {
  const stream = new ChatStream(chatPlan({ includeUsage: true }), 0)
  const last = stream.convert(event.completed({ usage: USAGE }))
  expect(last.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 5 } })
  expect(stream.ended).toBe(true)
  expect([stream.convert(event.completed({ usage: USAGE })), stream.finish()]).toEqual([[], []])
})

test.each([
  [{ type: 'response.queued' }, false],
  [{ type: 'keepalive' }, false],
  [{ type: 'codex.rate_limits' }, false],
  [{ type: 'response.metadata' }, false],
  [{ notype: 1 }, false],
  [event.added(0, { type: 'reasoning' }), true],
  [event.text(0, 'Hi'), true],
  [event.completed(), true],
])('%j: something visible has come: %s', (one, visible) => {
  const stream = new ChatStream(chatPlan(), 0)
  stream.convert(event.created)
  stream.convert(one)
  expect(stream.visible).toBe(visible)
})

test('what a client has seen stays seen, whatever comes after it', () => {
  const stream = new ChatStream(chatPlan(), 0)
  for (const one of [event.text(0, 'Hi'), { type: 'keepalive' }]) stream.convert(one)
  expect(stream.visible).toBe(true)
})

test('case 162, 177: a failure shows nothing, so that overload can be tried again', () => {
  const failed = { type: 'response.failed', response: { error: { code: 'server_is_overloaded', message: 'Busy.' } } }
  const stream = new ChatStream(chatPlan(), 0)
  stream.convert(event.created)
  expect(() => stream.convert(failed)).toThrow('Busy.')
  expect(stream.visible).toBe(false)
})

test('the chunk of a live delta is the next one but for its text', () => {
  const stream = new ChatStream(chatPlan({ includeUsage: true }), 0)
  for (const one of [event.created, event.text(0, 'Hi')]) stream.convert(one)
  const live = stream.liveDelta('response.output_text.delta')
  const told = live && stream.liveChunk(live)
  const [chunk] = stream.convert(event.text(0, ' "you"\n'))
  expect(told).toEqual({ ...chunk, choices: [{ ...chunk?.choices[0], delta: { content: '' } }] })
})

test('text is live only where a delta is nothing but content', () => {
  const live = (plan: Parameters<typeof chatPlan>[0], ...events: unknown[]) => {
    const stream = new ChatStream(chatPlan(plan), 0)
    for (const one of events) stream.convert(one)
    return stream.liveDelta('response.output_text.delta')
  }
  const place = (outputIndex: number, part: number): LiveDelta => ({
    outputIndex,
    partField: 'content_index',
    part,
    delta: { content: '' },
    kind: 'content',
  })
  expect(live({}, event.added(0, messageItem('')))).toBeUndefined()
  expect(live({}, event.text(0, 'a'), event.text(0, 'b', 1))).toEqual(place(0, 1))
  expect(live({ stop: ['x'] }, event.text(0, 'a'))).toBeUndefined()
  expect(live({ jsonOutput: true }, event.text(0, 'a'), event.text(1, 'b'))).toEqual(place(0, 0))
  expect(live({}, event.text(0, 'a'), event.completed())).toBeUndefined()
})

test('the chunk of a live delta follows what is learnt late', () => {
  const stream = new ChatStream(chatPlan(), 0)
  const tier = () => {
    const live = stream.liveDelta('response.output_text.delta')
    return live && stream.liveChunk(live).service_tier
  }
  for (const one of [event.created, event.text(0, 'Hi')]) stream.convert(one)
  expect(tier()).toBe(null)
  stream.convert({ type: 'response.in_progress', response: { service_tier: 'priority' } })
  expect(tier()).toBe('priority')
})
