import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Answer, answer, chatPlan } from '../../../test/support/answers.ts'
import { RESPONSES_STREAMS, recordedStreams } from '../../../test/support/recorded.ts'
import { ApiError } from '../../errors.ts'
import type { ChatPlan } from '../chat-plan.ts'
import { ChatStream } from './chat-stream.ts'
import { ResponsesCollector } from './responses-collector.ts'

const STREAMS = recordedStreams(RESPONSES_STREAMS).filter(({ events }) => events.at(-1)?.type !== 'response.failed')

const stream = fc.constantFrom(...STREAMS)
const plan: fc.Arbitrary<Partial<ChatPlan>> = fc.record({
  stream: fc.boolean(),
  includeUsage: fc.boolean(),
  stop: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    fc.array(fc.constantFrom('the', ' a', '.', '\n', '"'), { maxLength: 4 }),
  ),
  legacyFunctions: fc.boolean(),
  knowsCustomCalls: fc.boolean(),
  jsonOutput: fc.boolean(),
  showReasoning: fc.boolean(),
})

const TYPES = [
  'response.created',
  'response.in_progress',
  'response.output_item.added',
  'response.output_item.done',
  'response.content_part.added',
  'response.content_part.done',
  'response.output_text.delta',
  'response.output_text.done',
  'response.output_text.annotation.added',
  'response.refusal.delta',
  'response.refusal.done',
  'response.function_call_arguments.delta',
  'response.function_call_arguments.done',
  'response.custom_tool_call_input.delta',
  'response.custom_tool_call_input.done',
  'response.reasoning_summary_text.delta',
  'response.reasoning_summary_text.done',
  'response.reasoning_text.delta',
  'response.reasoning_summary_part.done',
  'response.reasoning_text.done',
  'response.completed',
  'response.done',
  'response.incomplete',
  'response.failed',
  'error',
  'keepalive',
  'codex.rate_limits',
  'response.hologram.delta',
]
const text = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('<!-- -->', '\n', '{}', '😀'))
const odd = fc.oneof(
  fc.constant(null),
  fc.integer({ min: -1, max: 1 }),
  fc.boolean(),
  text,
  fc.constant([]),
  fc.constant({}),
)
const place = fc.oneof({ weight: 9, arbitrary: fc.nat(3) }, odd)
const loose = <Value>(value: fc.Arbitrary<Value>) => fc.oneof({ weight: 9, arbitrary: value }, odd)
const part = fc.record(
  {
    type: fc.constantFrom('output_text', 'refusal', 'reasoning_text', 'summary_text', 'x'),
    text: loose(text),
    refusal: loose(text),
    annotations: loose(fc.array(odd)),
  },
  { requiredKeys: [] },
)
const item = fc.record(
  {
    type: fc.constantFrom(
      'message',
      'reasoning',
      'function_call',
      'custom_tool_call',
      'image_generation_call',
      'web_search_call',
      'toString',
    ),
    phase: loose(fc.constantFrom('commentary', 'final_answer')),
    call_id: loose(fc.constantFrom('call_1', 'call_2', 'call_3')),
    name: loose(fc.constant('go')),
    arguments: loose(text),
    input: loose(text),
    content: loose(fc.array(loose(part), { maxLength: 3 })),
    summary: loose(fc.array(loose(part), { maxLength: 3 })),
    result: loose(text),
    encrypted_content: loose(text),
  },
  { requiredKeys: ['type'] },
)
const response = fc.record(
  {
    id: loose(text),
    created_at: loose(fc.nat()),
    model: loose(text),
    status: loose(fc.constantFrom('completed', 'incomplete', 'failed')),
    output: loose(fc.array(loose(item), { maxLength: 4 })),
    usage: loose(fc.record({ input_tokens: odd, output_tokens_details: odd })),
    error: loose(fc.record({ code: loose(text), message: loose(text) })),
    incomplete_details: odd,
    service_tier: odd,
  },
  { requiredKeys: [] },
)
const anyEvent = fc.record(
  {
    type: fc.constantFrom(...TYPES),
    output_index: place,
    content_index: place,
    summary_index: place,
    annotation_index: place,
    delta: loose(text),
    text: loose(text),
    refusal: loose(text),
    arguments: loose(text),
    input: loose(text),
    item: loose(item),
    part: loose(part),
    response: loose(response),
    error: odd,
    status: odd,
    code: odd,
    headers: odd,
    annotation: loose(fc.record({ type: fc.constant('url_citation'), url: loose(text), start_index: odd })),
  },
  { requiredKeys: ['type'] },
)

function toldOrThrown(events: readonly unknown[], differences: Partial<ChatPlan>): Answer | ApiError {
  try {
    return answer(events, differences)
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}

test('unknown events inserted anywhere change nothing', () => {
  const unknown = fc.constantFrom(
    { type: 'response.hologram.delta', output_index: 0, delta: 'x' },
    { type: 'keepalive' },
    { type: 'codex.x' },
    {},
    null,
    'text',
    7,
    [],
  )
  fc.assert(
    fc.property(
      stream,
      plan,
      fc.array(fc.tuple(fc.nat(2000), unknown), { maxLength: 8 }),
      ({ events }, differences, inserted) => {
        const more: unknown[] = [...events]
        for (const [at, event] of inserted) more.splice(at % (events.length + 1), 0, event)
        expect(answer(more, differences).chunks).toEqual(answer(events, differences).chunks)
      },
    ),
  )
})

test('the usage chunk comes exactly when asked for, last', () => {
  fc.assert(
    fc.property(stream, plan, ({ events }, differences) => {
      const { chunks } = answer(events, differences)
      const withUsage = chunks.filter(({ usage }) => usage !== undefined && usage !== null)
      expect(withUsage).toEqual(differences.includeUsage === true ? chunks.slice(-1) : [])
    }),
  )
})

test('the deltas of a stream, joined, are the answer in one piece', () => {
  fc.assert(
    fc.property(stream, plan, ({ events }, differences) => {
      const [streamed, whole] = [true, false].map(
        (asStream) => answer(events, { ...differences, stream: asStream }).completion,
      )
      // A stream that a stop text ended without need of usage has read no further.
      const { usage: _one, service_tier: _two, ...joined } = streamed ?? {}
      expect(whole).toMatchObject(joined)
    }),
  )
})

test('whatever events come, nothing but an ApiError is thrown', () => {
  fc.assert(
    fc.property(fc.array(loose(anyEvent), { maxLength: 12 }), plan, (events, differences) => {
      toldOrThrown(events, differences)
      const collector = new ResponsesCollector()
      expect(() => {
        for (const event of events) collector.take(event)
        collector.finish()
      }).not.toThrow(TypeError)
    }),
    { numRuns: 3000 },
  )
})

test('whatever events come, the chunks are a well-formed stream', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 12 }), plan, (events, differences) => {
      const machine = new ChatStream(chatPlan(differences), 0)
      const chunks = []
      try {
        for (const event of [...events, { type: 'response.completed', response: {} }])
          chunks.push(...machine.convert(event))
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
      }
      const heads = new Set(chunks.map(({ id, created, model }) => JSON.stringify([id, created, model])))
      if (differences.stream) expect(heads.size).toBeLessThanOrEqual(1)
      const choices = chunks.flatMap((chunk) => chunk.choices)
      expect(choices.slice(1).every(({ delta }) => delta.role === undefined)).toBe(true)
      expect(choices.slice(0, -1).every(({ finish_reason }) => finish_reason === null)).toBe(true)
      const calls = choices.flatMap(({ delta }) => delta.tool_calls ?? [])
      let opened = 0
      for (const call of calls) {
        if ('id' in call) expect(call.index).toBe(opened++)
        else expect(call.index).toBeLessThan(opened)
      }
    }),
    { numRuns: 2000 },
  )
})

test('what a client can see never holds what only reasoning events told', () => {
  const secret = 'ONLY-THOUGHT'
  const thought = fc.constantFrom(
    { type: 'response.reasoning_summary_text.delta', output_index: 1, summary_index: 0, delta: secret },
    { type: 'response.reasoning_text.delta', output_index: 1, content_index: 0, delta: secret },
    { type: 'response.reasoning_summary_text.done', output_index: 1, summary_index: 1, text: secret },
    {
      type: 'response.content_part.done',
      output_index: 1,
      content_index: 0,
      part: { type: 'reasoning_text', text: secret },
    },
    {
      type: 'response.output_item.done',
      output_index: 1,
      item: { type: 'reasoning', summary: [{ type: 'summary_text', text: secret }] },
    },
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(thought, anyEvent), { maxLength: 12 }), plan, (events, differences) => {
      const told = toldOrThrown([...events, { type: 'response.completed', response: {} }], differences)
      if (!(told instanceof ApiError)) expect(told.completion.choices[0]?.message.content ?? '').not.toContain(secret)
    }),
    { numRuns: 2000 },
  )
})
