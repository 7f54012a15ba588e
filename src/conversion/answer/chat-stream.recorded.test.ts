import { expect, test } from 'vitest'
import { answer } from '../../../test/support/answers.ts'
import { RESPONSES_STREAMS, recordedBody, recordedEvents, recordedStreams } from '../../../test/support/recorded.ts'
import { ApiError } from '../../errors.ts'
import type { JsonObject } from '../../json-object.ts'
import type { ChatChunk } from './chat-chunk.ts'

const STREAMS = recordedStreams(RESPONSES_STREAMS)
const WHOLE = STREAMS.filter(({ events }) => !events.some(({ type }) => type === 'response.failed'))
const FAILED = STREAMS.filter((stream) => !WHOLE.includes(stream))

test('there are recorded streams, whole and failed ones', () => {
  expect(WHOLE.length).toBeGreaterThan(35)
  expect(FAILED.map(({ name }) => name)).toEqual(['made-overloaded-stream', 'resp-failed-quota-stream'])
})

test.each(WHOLE)('$name: nothing of its texts, refusals and calls is lost', ({ events }) => {
  const { message } = only(answer(events).completion.choices)
  const items = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item as JsonObject)
  const texts = items.filter(({ type }) => type === 'message').map((item) => textOf(item, 'output_text', 'text'))
  const refusals = items.map((item) => textOf(item, 'refusal', 'refusal')).filter((text) => text !== '')

  for (const text of texts) expect(`${message.content}\n${message.reasoning_content}`).toContain(text)
  expect(message.refusal).toBe(refusals.length === 0 ? null : refusals.join('\n\n'))
  expect(message.tool_calls ?? []).toEqual(items.flatMap(chatCall))
})

test.each(WHOLE)('$name: reasoning is shown as such and never in content', ({ events }) => {
  const { message } = only(answer(events).completion.choices)
  const summaries = events
    .filter(({ type }) => type === 'response.reasoning_summary_text.done' || type === 'response.reasoning_text.done')
    .map(({ text }) => String(text).replace(/^<!-- -->\n?/gm, ''))
    .filter((text) => text !== '')
  const commentary = message.reasoning_content?.endsWith('Let me look that up.') ? ['Let me look that up.'] : []

  expect(message.reasoning_content ?? '').toBe([...summaries, ...commentary].join('\n\n'))
  for (const summary of summaries) expect(message.content ?? '').not.toContain(summary)
})

test.each(WHOLE)('$name: the parts of an item need no stable ids', ({ events }) => {
  const renamed = events.map((event) =>
    JSON.parse(JSON.stringify(event, (key, value) => (key === 'item_id' ? 'another id' : value))),
  )
  expect(answer(renamed).chunks).toEqual(answer(events).chunks)
})

test.each(WHOLE)('$name: chunks have one id, one created and one model', ({ events }) => {
  const { chunks } = answer(events, { includeUsage: true })
  expect(new Set(chunks.map(({ id, created, model }) => `${id} ${created} ${model}`)).size).toBe(1)
  expect(chunks[0]?.id).toMatch(/^chatcmpl-(?!resp_).+/)
  expect(chunks[0]?.created).toBeGreaterThan(1_700_000_000)
})

test.each(WHOLE)('$name: an empty output in the terminal event changes nothing', ({ events }) => {
  const emptied = events.map((event) => {
    const response = event.response as JsonObject | undefined
    return event.type === 'response.completed' ? { ...event, response: { ...response, output: [] } } : event
  })
  expect(answer(emptied).chunks).toEqual(answer(events).chunks)
})

test.each(FAILED)('$name: is the error it tells', ({ events }) => {
  expect(() => answer(events)).toThrow(ApiError)
})

const CHAT_STREAMS = recordedStreams(
  /^chat-(?!reasoning-content|annotations-openrouter|misc-|text-azure|logprobs).*-stream$/,
)

test.each(CHAT_STREAMS)(
  '$name: our chunks have the fields, in the order, of this recorded answer',
  ({ name, events }) => {
    const ours = [
      ...answer(recordedEvents('resp-text-long-stream'), { includeUsage: true }).chunks,
      ...answer(recordedEvents('resp-text-long-stream')).chunks,
      ...answer(recordedEvents('resp-parallel-many-deltas-stream'), { includeUsage: true }).chunks,
      ...answer(recordedEvents('resp-refusal-stream'), { includeUsage: true }).chunks,
    ].map(shape)
    // Several calls open with a chunk of the role alone; as nobody knows how many come, ours open as for one call.
    const comparable = name === 'chat-parallel-stream' ? events.slice(1) : events
    for (const recorded of comparable.map(withoutVariants)) expect(ours).toContainEqual(shape(recorded))
  },
)

const CHAT_BODIES = [
  ['chat-text-json', 'resp-text-long-stream', {}],
  ['chat-refusal-json', 'resp-refusal-stream', {}],
  ['chat-parallel-json', 'resp-parallel-two-stream', {}],
  ['chat-custom-tool-json', 'made-custom-tool-stream', {}],
  ['chat-legacy-function-call-json', 'resp-tool-one-stream', { legacyFunctions: true }],
  ['chat-annotations-json', 'resp-hosted-web-search-many-stream', { showReasoning: false }],
] as const

test.each(CHAT_BODIES)('our completion has the fields, in the order, of %s', (recorded, stream, plan) => {
  const { completion } = answer(recordedEvents(stream), { ...plan, stream: false })
  // Optional in the API: absent from some recorded answers, from older ones also `annotations`.
  const [ours, theirs] = [completion, recordedBody(recorded)].map((body) =>
    without(body, /^(?:logprobs|service_tier|cache_write_tokens|annotations)$/),
  )
  expect(shape(ours)).toEqual(shape(theirs))
})

function only<Item>(items: readonly Item[]): Item {
  const [item] = items
  if (item === undefined || items.length !== 1) throw new Error(`One expected, not ${items.length}.`)
  return item
}

function textOf(item: JsonObject, type: string, field: string): string {
  const parts = item.type === 'message' ? (item.content as JsonObject[]) : []
  return parts.map((part) => (part.type === type ? part[field] : '')).join('')
}

function chatCall({ type, call_id: id, name, arguments: args, input }: JsonObject): JsonObject[] {
  if (type === 'function_call') return [{ id, type: 'function', function: { name, arguments: args || '{}' } }]
  return type === 'custom_tool_call' ? [{ id, type: 'custom', custom: { name, input } }] : []
}

/** Keys in their order, kinds of values; lists by their first entry. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])]
  if (value === null) return null
  if (typeof value !== 'object') return typeof value
  return Object.entries(value).map(([key, inner]) => [
    key,
    key === 'service_tier' || key === 'system_fingerprint' || key === 'finish_reason' ? 'any' : shape(inner),
  ])
}

function without(value: unknown, keys: RegExp): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner) => (keys.test(key) ? undefined : inner)))
}

/** Recorded answers differ among models: `logprobs` may be missing, padding present, `usage` before `choices`. */
function withoutVariants(recorded: JsonObject): ChatChunk {
  const { obfuscation, choices, usage, ...rest } = recorded
  const list = (choices as JsonObject[]).map(({ index, delta, finish_reason }) => ({
    index,
    delta,
    logprobs: null,
    finish_reason,
  }))
  const { system_fingerprint, ...before } = rest
  const chunk = { ...before, service_tier: 'default', system_fingerprint, choices: list }
  return ('usage' in recorded ? { ...chunk, usage } : chunk) as unknown as ChatChunk
}
