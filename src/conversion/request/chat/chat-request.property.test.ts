import fc from 'fast-check'
import { expect, test } from 'vitest'
import { acceptedBy } from '../../../../test/support/backend.ts'
import { CONTEXT, convertChat, convertResponses } from '../../../../test/support/converted-requests.ts'
import { ApiError } from '../../../errors.ts'
import { API_DEFAULTS } from '../api-defaults.ts'
import { toLiteRequest } from '../lite-request.ts'
import type { ResponsesRequest } from '../upstream-body.ts'
import { CHAT_FIELDS, type ChatField } from './chat-fields.ts'
import { convertChatRequest } from './chat-request.ts'

/** More by `FUZZ_RUNS=100000`. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 500)

const TOOLS = [
  { type: 'function', function: { name: 'f', parameters: { type: 'object' } } },
  { type: 'custom', custom: { name: 'c' } },
]
const text = fc.oneof(fc.string(), fc.constantFrom('Hello', 'Answer in JSON.', ''))
const textPart = text.map((value) => ({ type: 'text', text: value }))
const part = fc.oneof(
  textPart,
  fc.constant({ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } }),
  fc.constant({ type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA', filename: 'a.pdf' } }),
)
const content = fc.oneof(text, fc.array(part, { minLength: 1, maxLength: 3 }))
const turn = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'developer', 'user'), content }).map((message) => [message]),
  fc
    .record({ role: fc.constant('assistant'), content: fc.oneof(text, fc.array(textPart)) })
    .map((message) => [message]),
  fc.tuple(fc.nat({ max: 3 }), fc.boolean(), content).map(([id, isCustom, output]) => [
    {
      role: 'assistant',
      tool_calls: [
        isCustom
          ? { id: `call_${id}`, type: 'custom', custom: { name: 'c', input: 'x' } }
          : { id: `call_${id}`, type: 'function', function: { name: 'f', arguments: '{}' } },
      ],
    },
    { role: 'tool', tool_call_id: `call_${id}`, content: output },
  ]),
)
const messages = fc.array(turn, { minLength: 1, maxLength: 5 }).map((turns) => [
  ...turns.flat(),
  // Something to answer, with the word that JSON mode asks for.
  { role: 'user', content: 'Say it in json.' },
])

/** Values for every known field, some at its default. */
const VALUES: Record<keyof typeof CHAT_FIELDS, fc.Arbitrary<unknown>> = {
  model: fc.constantFrom('gpt-5.5', 'gpt-9', 'openai/gpt-5.5'),
  messages,
  tools: fc.constantFrom(TOOLS, [{ type: 'web_search' }]),
  tool_choice: fc.constantFrom('auto', 'none', 'required'),
  parallel_tool_calls: fc.boolean(),
  functions: fc.constant([{ name: 'f' }]),
  function_call: fc.constantFrom('auto', 'none'),
  web_search_options: fc.constantFrom({}, { search_context_size: 'low' }),
  response_format: fc.constantFrom(
    { type: 'text' },
    { type: 'json_object' },
    { type: 'json_schema', json_schema: { name: 'x', schema: {} } },
  ),
  verbosity: fc.constantFrom('low', 'high'),
  text: fc.constantFrom({ verbosity: 'medium' }, { format: { type: 'json_object' } }),
  reasoning_effort: fc.constantFrom('none', 'minimal', 'low', 'high', 'ultra'),
  reasoning: fc.constantFrom({ effort: 'medium' }, { summary: 'detailed' }, { max_tokens: 5 }),
  service_tier: fc.constantFrom('auto', 'default', 'flex', 'priority', 'fast'),
  prompt_cache_key: fc.constantFrom('key', 'other key'),
  stream: fc.boolean(),
  stream_options: fc.constantFrom({ include_usage: true }, { include_obfuscation: true }, {}),
  n: fc.integer({ min: 1, max: 8 }),
  stop: fc.constantFrom('END', ['a', 'b']),
  max_tokens: fc.nat(),
  max_completion_tokens: fc.nat(),
  temperature: fc.constantFrom(0, 1, 0.5),
  top_p: fc.constantFrom(1, 0.5),
  frequency_penalty: fc.constantFrom(0, 1),
  presence_penalty: fc.constantFrom(0, 1),
  seed: fc.nat(),
  logit_bias: fc.constantFrom({}, { 1: 5 }),
  metadata: fc.constantFrom({}, { a: 'b' }),
  store: fc.boolean(),
  user: fc.constantFrom('me', ''),
  safety_identifier: fc.constant('me'),
  prediction: fc.constant({ type: 'content', content: 'x' }),
  moderation: fc.constant({ model: 'x' }),
  prompt_cache_retention: fc.constant('24h'),
  prompt_cache_options: fc.constant({ ttl: '30m' }),
  logprobs: fc.constant(false),
  top_logprobs: fc.constant(0),
  modalities: fc.constant(['text']),
  audio: fc.constant(null),
}
const { model, ...optional } = VALUES
const request = fc.record({ ...optional, model }, { requiredKeys: ['model', 'messages'] })

function attempt<Value>(work: () => Value): Value | ApiError {
  try {
    return work()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}

/** Values that ask for nothing by themselves or together with the rest of the body. */
function asksNothing(name: keyof typeof CHAT_FIELDS, body: Record<string, unknown>): boolean {
  const value = body[name]
  const field: ChatField = CHAT_FIELDS[name]
  if (value === null || API_DEFAULTS.get(name) === value || field.asksNothing?.(value) === true) return true
  const hasTools = ['tools', 'functions', 'web_search_options'].some((tools) => body[tools] !== undefined)
  const nothing: Partial<Record<keyof typeof CHAT_FIELDS, boolean>> = {
    parallel_tool_calls: !hasTools || body.functions !== undefined,
    n: value === 1,
    stream: value === false,
    stream_options: JSON.stringify(value) === '{}',
    service_tier: value === 'auto' || value === 'default',
    response_format: JSON.stringify(value) === '{"type":"text"}',
  }
  return nothing[name] ?? false
}

test('property: every field is converted, emulated, reported or refused, none silently lost', () => {
  fc.assert(
    fc.property(request, (body) => {
      const converted = attempt(() => convertChat(body))
      if (converted instanceof ApiError) {
        expect(converted.status).toBe(400)
        expect(Object.keys(body)).toContain(converted.param?.split(/[.[]/)[0])
        return
      }
      for (const name of Object.keys(body) as (keyof typeof CHAT_FIELDS)[]) {
        if (name === 'model' || name === 'messages' || asksNothing(name, body)) continue
        const without = attempt(() => convertChat({ ...body, [name]: undefined }))
        const isReported = converted.plan.ignored.some((ignored) => ignored.split('.')[0] === name)
        if (!isReported) expect({ name, ...without }).not.toEqual({ name, ...converted })
      }
    }),
    { numRuns },
  )
})

test('property: a converted request is one the backend takes, on both lanes, and always the same bytes', () => {
  fc.assert(
    fc.property(request, (body) => {
      const converted = attempt(() => convertChat(body))
      if (converted instanceof ApiError) return
      expect(acceptedBy(converted.request)).toBe(true)
      expect(acceptedBy(toLiteRequest(converted.request))).toBe(true)
      const again = convertChat(JSON.parse(JSON.stringify(body)))
      expect(JSON.stringify(again)).toBe(JSON.stringify(converted))
    }),
    { numRuns },
  )
})

test('property: strict mode either refuses what would be reported or changes nothing', () => {
  fc.assert(
    fc.property(request, (body) => {
      const loose = attempt(() => convertChat(body))
      const strict = attempt(() => convertChat(body, { strict: true }))
      if (loose instanceof ApiError || loose.plan.ignored.length > 0) expect(strict).toBeInstanceOf(ApiError)
      else expect(strict).toEqual(loose)
    }),
    { numRuns },
  )
})

/** A body with one value somewhere replaced by any other. */
function mutated(body: unknown, path: readonly number[], value: unknown): unknown {
  const [step, ...rest] = path
  if (typeof body !== 'object' || body === null || step === undefined) return value
  const keys = Object.keys(body)
  const key = keys[step % Math.max(keys.length, 1)]
  if (key === undefined) return value
  const copy: Record<string, unknown> = Array.isArray(body) ? ([...body] as never) : { ...body }
  copy[key] = mutated(copy[key], rest, value)
  return copy
}

const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(null, '', -1, [], {}, [null], [[]], [{}], { type: 'text' }, 'ultra'),
)
const mutation = fc
  .tuple(request, fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), anything)
  .map(([body, path, value]) => mutated(body, path, value))

/** What the backend says of bodies that only a faulty converter sends. */
const OUR_FAULT =
  /Unsupported parameter|System messages|must be set to|Input must be|Instructions are|unknown_parameter/

test('property: any body is converted or refused with a 400, and never made what upstream cannot take', () => {
  fc.assert(
    fc.property(fc.oneof(mutation, anything), (body) => {
      const conversions: (() => { request: ResponsesRequest; lite?: boolean })[] = [
        () => convertChatRequest(body, CONTEXT),
        () => convertResponses(body),
        () => convertResponses({ ...Object(body), input: Object(body).messages, messages: null }),
      ]
      for (const convert of conversions) {
        const converted = attempt(convert)
        if (converted instanceof ApiError) expect(converted.status).toBe(400)
        else if (converted.lite !== true) {
          expect(JSON.stringify(acceptedBy(converted.request))).not.toMatch(OUR_FAULT)
        }
      }
    }),
    { numRuns: 2 * numRuns },
  )
})

test('a body nested without end is refused', () => {
  const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000))
  for (const fields of [
    { tools: [{ type: 'x', deep }] },
    { messages: [{ role: 'user', content: [{ type: 'text', text: deep }] }] },
  ]) {
    expect(attempt(() => convertChat(fields))).toBeInstanceOf(ApiError)
  }
})
