import { expect, test } from 'vitest'
import { answer, callItem, chatPlan, deltasOf, event, messageOf } from '../../../test/support/answers.ts'
import { recordedEvents } from '../../../test/support/recorded.ts'
import type { ToolCallDelta } from './chat-chunk.ts'
import { ChatStream } from './chat-stream.ts'

function callDeltas(events: readonly unknown[]): ToolCallDelta[] {
  const { chunks } = answer(events)
  return chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.tool_calls ?? []))
}

function argumentsIn(delta: ToolCallDelta): string | undefined {
  return 'function' in delta ? delta.function.arguments : undefined
}

const argumentsDone = (output_index: number, text: string) => ({
  type: 'response.function_call_arguments.done',
  output_index,
  arguments: text,
})

test('case 128: the header comes when the item opens, then only index and arguments', () => {
  expect(
    callDeltas([
      event.added(3, callItem('call_1', '')),
      event.arguments(3, '{"a"'),
      event.arguments(3, ':1}'),
      event.completed(),
    ]),
  ).toEqual([
    { index: 0, id: 'call_1', type: 'function', function: { name: 'lookup', arguments: '' } },
    { index: 0, function: { arguments: '{"a"' } },
    { index: 0, function: { arguments: ':1}' } },
  ])
})

test('case 129: the index is on every delta and counts calls, not items', () => {
  const indexes = callDeltas(recordedEvents('chatgpt-parallel-tools-stream')).map(({ index }) => index)
  expect(new Set(indexes)).toEqual(new Set([0, 1]))
})

test('case 130: arguments find their call by output_index, whatever their item_id', () => {
  const [opened, other] = [event.added(1, callItem('call_1', '')), event.added(2, callItem('call_2', ''))]
  const lost = { ...event.arguments(2, '{"b":2}'), item_id: 'fc_of_call_1' }
  expect(messageOf([opened, other, lost, event.arguments(1, '{}'), event.completed()]).tool_calls).toMatchObject([
    { id: 'call_1', function: { arguments: '{}' } },
    { id: 'call_2', function: { arguments: '{"b":2}' } },
  ])
})

test.each([
  ['the rest is missing', '{"a":', '{"a":1}', '{"a":1}'],
  ['nothing is missing', '{"a":1}', '{"a":1}', '{"a":1}'],
  ['the whole contradicts the deltas', '{"a":1}', '{"b":2}', '{"a":1}'],
  ['a longer whole contradicts them', '{"a":1}', '{"b":2,"c":3}', '{"a":1}'],
])('case 131: of a snapshot only the missing rest is told: %s', (_case, streamed, whole, told) => {
  const events = [
    event.added(0, callItem('call_1', '')),
    event.arguments(0, streamed),
    argumentsDone(0, whole),
    event.done(0, callItem('call_1', whole)),
  ]
  const deltas = callDeltas([...events, event.completed({ output: [callItem('call_1', whole)] })])
  expect(deltas.map(argumentsIn).join('')).toBe(told)
})

test.each([
  ['function_call', argumentsDone(0, '{"a":1}'), { function: { arguments: '{"a":1}' } }],
  [
    'custom_tool_call',
    { type: 'response.custom_tool_call_input.done', output_index: 0, input: 'SELECT 1' },
    { custom: { input: 'SELECT 1' } },
  ],
])('case 132: what a %s was never streamed of is told as soon as it is known whole', (type, done, told) => {
  const stream = new ChatStream(chatPlan(), 0)
  stream.convert(event.added(0, { type, call_id: 'call_1', name: 'lookup' }))
  expect(deltasOf(stream.convert(done))).toEqual([{ tool_calls: [{ index: 0, ...told }] }])
})

test('case 131: arguments that come before their call is announced are told after its header', () => {
  const deltas = callDeltas([
    event.arguments(0, '{"a"'),
    event.added(0, callItem('call_1', '')),
    event.arguments(0, ':1}'),
    event.done(0, callItem('call_1', '{"a":1}')),
    event.completed(),
  ])
  expect(deltas.map((delta) => ('id' in delta ? delta.id : undefined))).toEqual(['call_1', undefined, undefined])
  expect(deltas.map(argumentsIn)).toEqual(['', '{"a"', ':1}'])
})

test('case 131: arguments of a call that is announced by its finished item alone are told once', () => {
  const early = [event.arguments(0, '{"a"'), event.arguments(0, ':1}'), argumentsDone(0, '{"a":1}')]
  const deltas = callDeltas([...early, event.done(0, callItem('call_1', '{"a":1}')), event.completed()])
  expect(deltas.map(argumentsIn).join('')).toBe('{"a":1}')
})

test.each([
  ['nothing else tells them', [], '{"a":1}'],
  ['its deltas are the beginning of them', [event.arguments(0, '{"a"')], '{"a":1}'],
  ['others are told', [event.arguments(0, '{"b":2}')], '{"b":2}'],
  ['the finished item has none', [event.done(0, callItem('call_1', ''))], '{"a":1}'],
])('case 132: the arguments a call is announced with count where %s', (_case, events, told) => {
  const announced = event.added(0, callItem('call_1', '{"a":1}'))
  expect(messageOf([announced, ...events, event.completed()]).tool_calls).toMatchObject([
    { function: { arguments: told } },
  ])
})

test('case 132: a call never announced is built from the finished item', () => {
  expect(messageOf(recordedEvents('made-no-deltas-stream')).tool_calls).toEqual([
    { id: 'call_1', type: 'function', function: { name: 'lookup', arguments: '{"q":"x"}' } },
    { id: 'call_2', type: 'function', function: { name: 'lookup', arguments: '{}' } },
  ])
})

test('case 132: a call told only by the terminal event is built from it, once', () => {
  const { tool_calls } = messageOf([
    event.completed({ output: [{ type: 'reasoning' }, callItem('call_1', '{"a":1}')] }),
  ])
  expect(tool_calls).toMatchObject([{ id: 'call_1', function: { arguments: '{"a":1}' } }])
})

test('a terminal output whose places differ from the stream doubles no call', () => {
  const streamed = [event.done(1, callItem('call_1', '{}')), event.done(2, callItem('call_2', '{}'))]
  const shifted = event.completed({ output: [callItem('call_1', '{}'), callItem('call_2', '{}')] })
  expect(messageOf([...streamed, shifted]).tool_calls).toHaveLength(2)
})

test('case 133: interleaved calls keep their own index', () => {
  const events = [
    event.added(0, callItem('call_1', '')),
    event.added(1, callItem('call_2', '')),
    event.arguments(1, '{"b"'),
    event.arguments(0, '{"a"'),
    event.arguments(1, ':2}'),
    event.arguments(0, ':1}'),
  ]
  expect(messageOf([...events, event.completed()]).tool_calls).toMatchObject([
    { id: 'call_1', function: { arguments: '{"a":1}' } },
    { id: 'call_2', function: { arguments: '{"b":2}' } },
  ])
})

test.each(['resp-tool-one-stream', 'resp-parallel-two-stream', 'made-custom-tool-stream'])(
  'case 134: %s leaks no item id',
  (name) => {
    expect(JSON.stringify(answer(recordedEvents(name)))).not.toMatch(/"(?:fc|ctc)_/)
  },
)

test('case 135: text and then a call: both are told', () => {
  const { choices } = answer(recordedEvents('resp-text-then-tool-stream')).completion
  expect(choices).toMatchObject([
    { message: { tool_calls: [{ function: { name: 'get_book_info' } }] }, finish_reason: 'tool_calls' },
  ])
  expect(JSON.parse(choices[0]?.message.content ?? '')).toMatchObject({ author: 'Brandon Sanderson' })
})

test('case 136: a call without arguments has an empty object', () => {
  const closed = [event.added(0, callItem('call_1', '')), event.done(0, callItem('call_1', ''))]
  expect(messageOf([...closed, event.completed()]).tool_calls).toMatchObject([{ function: { arguments: '{}' } }])
  for (const item of [callItem('call_1', ''), { ...callItem('call_1', ''), arguments: undefined }]) {
    expect(messageOf([event.added(0, item), event.completed()]).tool_calls).toMatchObject([
      { function: { arguments: '{}' } },
    ])
  }
})

test('case 63: a custom tool call has the custom form, its input as it is', () => {
  const deltas = callDeltas(recordedEvents('made-custom-tool-stream'))
  expect(deltas.slice(0, 2)).toEqual([
    { index: 0, id: 'call_custom1', type: 'custom', custom: { name: 'run_sql', input: '' } },
    { index: 0, custom: { input: 'SELECT ' } },
  ])
  expect(messageOf(recordedEvents('made-custom-tool-stream')).tool_calls).toEqual([
    { id: 'call_custom1', type: 'custom', custom: { name: 'run_sql', input: 'SELECT "a" FROM t;\n' } },
  ])
})

test('case 63: a client that declared no custom tool gets the call as a function, its input as JSON', () => {
  const { chunks, completion } = answer(recordedEvents('made-custom-tool-stream'), { knowsCustomCalls: false })
  const wrapped = JSON.stringify({ input: 'SELECT "a" FROM t;\n' })
  expect(chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.tool_calls ?? []))).toEqual([
    { index: 0, id: 'call_custom1', type: 'function', function: { name: 'run_sql', arguments: '' } },
    { index: 0, function: { arguments: wrapped } },
  ])
  expect(completion.choices[0]?.message.tool_calls).toEqual([
    { id: 'call_custom1', type: 'function', function: { name: 'run_sql', arguments: wrapped } },
  ])
})

test('case 63: a call of a function stays as it is for such a client', () => {
  const events = [
    event.added(0, callItem('call_1', '')),
    event.done(0, callItem('call_1', '{"a":1}')),
    event.completed(),
  ]
  const { completion } = answer(events, { knowsCustomCalls: false })
  expect(completion.choices[0]?.message.tool_calls).toMatchObject([{ function: { arguments: '{"a":1}' } }])
})

test.each([
  ['custom_tool_call', 'half'],
  ['function_call', ''],
])('case 63, 136: half a call looks whole to no client: %s', (type, input) => {
  const item = { type, call_id: 'call_1', name: 'go', input: '' }
  // As upstream ends a message that is cut off (recorded: `resp-incomplete-length-stream`).
  const cut = { ...item, input, status: 'incomplete' }
  const events = [
    event.added(0, item),
    { type: 'response.custom_tool_call_input.delta', output_index: 0, delta: input },
    { type: 'response.incomplete', response: { status: 'incomplete', output: [] } },
  ]
  for (const done of [[], [event.done(0, cut)]]) {
    const { completion } = answer(events.toSpliced(2, 0, ...done), { knowsCustomCalls: false })
    expect(completion.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: 'go', arguments: '' } }])
  }
})

test('a custom tool call without input stays without', () => {
  const item = { type: 'custom_tool_call', call_id: 'call_1', name: 'go', input: '' }
  expect(messageOf([event.done(0, item), event.completed()]).tool_calls).toMatchObject([{ custom: { input: '' } }])
})

test('legacy functions are answered with function_call, in the stream and not', () => {
  const { chunks, completion } = answer(recordedEvents('resp-tool-one-stream'), { legacyFunctions: true })
  expect(chunks[0]?.choices[0]?.delta).toEqual({
    role: 'assistant',
    content: null,
    function_call: { name: 'weather', arguments: '' },
    refusal: null,
  })
  expect(completion.choices[0]).toMatchObject({
    message: { content: null, function_call: { name: 'weather', arguments: '{"location":"Florence, Italy"}' } },
    finish_reason: 'function_call',
  })
  expect(JSON.stringify(chunks)).not.toContain('tool_calls')
})

test('the legacy form has room for the first call only', () => {
  const { chunks, completion } = answer(recordedEvents('resp-parallel-two-stream'), { legacyFunctions: true })
  expect(completion.choices[0]?.message.function_call).toEqual({ name: 'add', arguments: '{"a":2,"b":3}' })
  expect(deltasOf(chunks).filter((delta) => delta.function_call?.name !== undefined)).toHaveLength(1)
})

test('arguments are live from the first delta of their call on until it is whole', () => {
  const stream = new ChatStream(chatPlan(), 0)
  const live = (one: unknown) => {
    stream.convert(one)
    return stream.liveDelta('response.function_call_arguments.delta')
  }
  expect(live(event.added(2, callItem('call_1', '')))).toBeUndefined()
  expect(live(event.arguments(2, '{'))).toEqual({
    ...{ outputIndex: 2, partField: undefined, part: 0, kind: 'arguments' },
    delta: { tool_calls: [{ index: 0, function: { arguments: '' } }] },
  })
  expect(live(event.done(2, callItem('call_1', '{}')))).toBeUndefined()
})

test('what comes for a call after it is whole is no part of it', () => {
  const events = [event.done(0, callItem('call_1', '{}')), event.arguments(0, '!'), argumentsDone(0, '{} ')]
  expect(messageOf([...events, event.completed()]).tool_calls).toMatchObject([{ function: { arguments: '{}' } }])
})

test('a call that is announced again at its place is one call', () => {
  const events = [event.added(0, callItem('call_1', '')), event.added(0, callItem('call_other', ''))]
  expect(messageOf([...events, event.completed()]).tool_calls).toMatchObject([{ id: 'call_1' }])
})

test('a call that is told again at another place is one call', () => {
  const item = callItem('call_1', '{}')
  const { completion } = answer([event.done(0, item), event.done(1, item), event.completed()])
  expect(completion.choices[0]?.message.tool_calls).toHaveLength(1)
})

test('a call that is finished at another place than it was announced at has its arguments', () => {
  const events = [event.added(7, callItem('call_1', '')), event.arguments(1, '{"a":1}')]
  const message = messageOf([...events, event.done(1, callItem('call_1', '{"a":1}')), event.completed()])
  expect(message.tool_calls).toMatchObject([{ id: 'call_1', function: { arguments: '{"a":1}' } }])
})
