import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chatPlan } from '../../../test/support/answers.ts'
import { CR_EVENTS, cutAt, inOneRead, withCrEvents, withMixedEnds } from '../../../test/support/bytes.ts'
import { type ChatPath, hotPath as hot, plainPath as plain } from '../../../test/support/chat-paths.ts'
import { RESPONSES_STREAMS, recordedBytes } from '../../../test/support/recorded.ts'
import { ChatStream } from '../../conversion/answer/chat-stream.ts'
import { ApiError, errorBody } from '../../errors.ts'
import { asList, asObject, asString } from '../../json-object.ts'
import { frameJson } from '../../sse/event.ts'
import { FrameReader } from '../../sse/frame-reader.ts'
import { dataFrame, namedFrame } from '../../sse/frames.ts'

const STREAMS = recordedBytes(RESPONSES_STREAMS)

const TEXT_DONE = 'response.output_text.done'

const plan = chatPlan({ includeUsage: true })

/** What a client gets of what so many reads brought, as parsed chunks; an error ends it. */
function converted(
  pieces: readonly (Buffer | string)[],
  convert: ChatPath,
  differences: Parameters<typeof chatPlan>[0] = {},
  reads = pieces.map((piece) => inOneRead([piece])),
): unknown[] {
  const machine = new ChatStream({ ...plan, ...differences }, 0)
  const take = convert(machine)
  let out = ''
  const sink = {
    take(memory: Buffer, ranges: readonly number[]) {
      out += take(memory, ranges)
    },
  }
  const reader = new FrameReader(sink, 1e9)
  try {
    for (const { memory, ranges } of reads) reader.take(memory, ranges)
    reader.end()
    for (const chunk of machine.finish()) out += dataFrame(chunk)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    out += dataFrame(errorBody(error))
  }
  return out.split('\n\n').filter(Boolean).map(frameJson)
}

/** A stream that comes in one read. */
function whole(take: ReturnType<ChatPath>, stream: string): string {
  const bytes = Buffer.from(stream)
  return take(bytes, [0, bytes.length])
}

test('there are recorded streams to compare', () => {
  expect(STREAMS.length).toBeGreaterThanOrEqual(38)
})

test.each(STREAMS)('$name: the hot path gives what the plain path gives', ({ whole }) => {
  expect(converted([whole], hot)).toEqual(converted([whole], plain))
})

const LF_STREAMS = STREAMS.filter(({ whole }) => !whole.includes('\r'))

test.each(LF_STREAMS)('$name: chunks do not depend on which lines end with CRLF', ({ whole }) => {
  const chunks = converted([whole], hot)
  const ends = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(ends, fc.array(fc.nat(whole.length), { maxLength: 10 }), (isCrLf, at) => {
      expect(converted(cutAt(withMixedEnds(whole.toString(), isCrLf), at), hot)).toEqual(chunks)
    }),
    { numRuns: 20 },
  )
})

test.each(LF_STREAMS)('$name: chunks do not depend on which events have lines that end with CR', ({ whole }) => {
  const chunks = converted([whole], hot)
  for (const isCr of CR_EVENTS) {
    expect(converted([withCrEvents(whole.toString(), isCr)], hot)).toEqual(chunks)
  }
})

test.each(STREAMS)('$name: chunks do not depend on how the bytes were cut', ({ whole }) => {
  const chunks = converted([whole], hot)
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 30 }), (at) => {
      const pieces = cutAt(whole, at)
      expect(converted(pieces, hot)).toEqual(chunks)
      expect(converted(pieces, hot, {}, [inOneRead(pieces)])).toEqual(chunks)
    }),
    { numRuns: 20 },
  )
})

test.each(['resp-text-long-stream', 'resp-parallel-many-deltas-stream', 'resp-reasoning-summary-stream'])(
  '%s: characters that end a line for Python are escaped, wherever they are',
  (name) => {
    for (const end of ['\u0085', '\u2028', '\u2029']) {
      const recorded = STREAMS.find((stream) => stream.name === name)?.whole.toString() ?? ''
      // In every third delta, so that the hot path is in use before each.
      let count = 0
      const stream = recorded.replaceAll('"delta":"', (found) => (count++ % 3 === 2 ? found + end : found))
      const chunks = whole(hot(new ChatStream(plan, 0)), stream)
      expect(chunks).not.toContain(end)
      expect(chunks.split('\n\n').map(frameJson)).toEqual(
        whole(plain(new ChatStream(plan, 0)), stream)
          .split('\n\n')
          .map(frameJson),
      )
      const escaped = `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`
      expect(chunks.split(escaped).length - 1).toBe(Math.floor(count / 3))
    }
  },
)

const deltaText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('"', '\\', '\\"', '\n\n', '","x":"', 'é\u2028', 'Â\u0085', '', '\ud83d', '\ude00'),
  fc.constantFrom('\uE200', '\uE200cite\uE202turn0search1\uE201', 'cite\uE202turn', '\uE201'),
)
const deltaFrame = fc.record({
  delta: deltaText,
  output_index: fc.nat(2),
  content_index: fc.nat(1),
  sequence_number: fc.nat(1e6),
  shape: fc.constantFrom('usual', 'no name', 'other order', 'no sequence', 'spaces', 'a delta within another member'),
})

function render({
  shape,
  ...event
}: {
  shape: string
  delta: string
  output_index: number
  content_index: number
  sequence_number: number
}) {
  const type = 'response.output_text.delta'
  const { delta, output_index, content_index, sequence_number } = event
  const usual = { type, sequence_number, item_id: 'msg_1', output_index, content_index, delta, logprobs: [] }
  const payload = {
    usual,
    'no name': usual,
    'other order': { delta, type, content_index, output_index },
    'no sequence': { type, item_id: 'msg_1', output_index, content_index, delta },
    spaces: usual,
    'a delta within another member': { type, output_index, content_index, of: { delta: 'no text', at: 1 }, delta },
  }[shape]
  const json = shape === 'spaces' ? JSON.stringify(payload, null, 1).replaceAll('\n', '') : JSON.stringify(payload)
  return `${shape === 'no name' ? '' : `event: ${type}\n`}data: ${json}\n\n`
}

test.each(STREAMS)('$name: chunks do not depend on whether its events come one by one or in one read', ({ whole }) => {
  const events = whole.toString().split(/(?<=\n\n)/)
  const chunks = converted([whole], plain)
  expect(converted(events, hot)).toEqual(chunks)
  expect(converted(events, hot, {}, [inOneRead(events)])).toEqual(chunks)
})

test.each([1, 2, 3])('%d empty lines too many after each event change nothing', (more) => {
  for (const { whole } of STREAMS) {
    const events = whole.toString().split(/(?<=\n\n)/)
    const chunks = converted([whole], plain)
    const wide = events.map((event) => event + '\n'.repeat(more))
    expect(converted(wide, hot)).toEqual(chunks)
    expect(converted(wide, hot, {}, [inOneRead(wide)])).toEqual(chunks)
  }
})

const hexOf = (character: string) => character.charCodeAt(0).toString(16)

test.each([
  ['as they are', (character: string) => character],
  ['escaped', (character: string) => `\\u${hexOf(character)}`],
  ['escaped in capitals', (character: string) => `\\u${hexOf(character).toUpperCase()}`],
])('citation markers are left out of a run of deltas, written %s', (_, written) => {
  const texts = [
    'One',
    ' two',
    '\n',
    'three',
    '\uE200cite\uE202turn0\uE201',
    ' four',
    ' \uE200cite\uE202',
    'turn1\uE201',
    '!',
  ]
  const deltas = texts.map((delta, sequence_number) =>
    render({ shape: 'usual', delta, output_index: 0, content_index: 0, sequence_number }),
  )
  const completed = namedFrame('response.completed', { type: 'response.completed', response: {} })
  const stream = deltas.join('').replace(/[\uE200-\uE202]/g, written) + completed
  const contents = converted([stream], hot).map(contentIn)
  expect(contents.join('')).toBe('One two\nthree four !')
})

function contentIn(chunk: unknown): string {
  const [choice] = asList(asObject(chunk)?.choices)
  return asString(asObject(asObject(choice)?.delta)?.content) ?? ''
}

test('any deltas of any parts in any shape come out of the hot path as out of the plain one', () => {
  fc.assert(
    fc.property(fc.array(deltaFrame, { maxLength: 40 }), (deltas) => {
      const stream = deltas.map(render).join('')
      expect(converted([stream], hot)).toEqual(converted([stream], plain))
    }),
    { numRuns: 300 },
  )
})

const DELTA_KINDS = [
  { type: 'response.output_text.delta', part: 'content_index' },
  { type: 'response.function_call_arguments.delta' },
  { type: 'response.custom_tool_call_input.delta' },
  { type: 'response.reasoning_summary_text.delta', part: 'summary_index' },
  { type: 'response.reasoning_text.delta', part: 'content_index' },
]
test('an item that is no message is told also where a message streamed', () => {
  const delta = render({ shape: 'usual', delta: 'a', output_index: 0, content_index: 0, sequence_number: 1 })
  const item = { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Hm.' }] }
  const done = { type: 'response.output_item.done', output_index: 0, item }
  const textDone = { type: TEXT_DONE, item_id: 'msg_1', output_index: 0, content_index: 0, text: 'a' }
  const stream = delta + namedFrame(TEXT_DONE, textDone) + namedFrame(done.type, done)
  expect(converted([stream], hot)).toEqual(converted([stream], plain))
})

const NAMES_PASSED_OVER = [
  'response.in_progress',
  'response.content_part.added',
  TEXT_DONE,
  'response.content_part.done',
  'response.output_item.done',
]
const deltaOfAnyKind = fc.record({
  kind: fc.constantFrom(...DELTA_KINDS),
  /** Frames may be named other than their event. */
  misnamed: fc.option(fc.constantFrom(...DELTA_KINDS.map(({ type }) => type), ...NAMES_PASSED_OVER), { freq: 8 }),
  output_index: fc.nat(2),
  part: fc.nat(1),
  /** The texts of a run of deltas, as they come in a stream. */
  texts: fc.array(fc.oneof(deltaText, fc.constantFrom('<!--', ' -->', '\n', '\\n', '{"a":')), { maxLength: 6 }),
  /** The call it belongs to is opened before it; told whole after it, with this text more; and ended. */
  opened: fc.boolean(),
  whole: fc.option(fc.string({ maxLength: 3 })),
  ended: fc.boolean(),
})
type DeltaRun = typeof deltaOfAnyKind extends fc.Arbitrary<infer Run> ? Run : never

/** The frames of runs of deltas, and of what stands around those of calls. */
function renderRuns(runs: readonly DeltaRun[]): string {
  const sent = new Map<number, string>()
  const frames = runs.flatMap(({ kind, misnamed, output_index, part, texts, opened, whole, ended }) => {
    const place = { item_id: 'item_1', output_index, ...(kind.part !== undefined && { [kind.part]: part }) }
    const isCustom = kind.type.includes('custom')
    const item = { type: isCustom ? 'custom_tool_call' : 'function_call', call_id: `call_${output_index}`, name: 'f' }
    const all = (sent.get(output_index) ?? '') + texts.join('')
    sent.set(output_index, all)
    const told = { [isCustom ? 'input' : 'arguments']: all + whole }
    const events = [
      ...(opened ? [{ type: 'response.output_item.added', output_index, item }] : []),
      ...texts.map((delta, sequence_number) => ({
        type: kind.type,
        sequence_number,
        ...place,
        delta,
        obfuscation: 'x',
      })),
      ...(whole === null ? [] : [{ type: kind.type.replace('.delta', '.done'), ...place, ...told }]),
      ...(ended ? [{ type: 'response.output_item.done', output_index, item: { ...item, ...told } }] : []),
    ]
    return events.map((event) => namedFrame(event.type === kind.type ? (misnamed ?? kind.type) : event.type, event))
  })
  return [...frames, namedFrame('response.completed', { type: 'response.completed', response: { output: [] } })].join(
    '',
  )
}

test.each([
  {},
  { legacyFunctions: true },
  { knowsCustomCalls: false },
  { showReasoning: false },
  { stop: ['a'] },
  { jsonOutput: true },
])('any runs of deltas of text, calls and reasoning come out as on the plain path: %j', (differences) => {
  fc.assert(
    fc.property(fc.array(deltaOfAnyKind, { maxLength: 12 }), (runs) => {
      const stream = renderRuns(runs)
      expect(converted([stream], hot, differences)).toEqual(converted([stream], plain, differences))
    }),
    { numRuns: 300 },
  )
})

test.each(['response.in_progress', 'response.queued'])('case 124: chunks have the id that %s tells first', (type) => {
  const response = { id: 'resp_1', created_at: 1, model: 'm' }
  const delta = render({ shape: 'usual', delta: 'a', output_index: 0, content_index: 0, sequence_number: 1 })
  const last = { type: 'response.completed', response: { ...response, id: 'resp_2' } }
  const told = converted([namedFrame(type, { type, response }) + delta + namedFrame(last.type, last)], hot)
  expect(new Set(told.map((chunk) => asObject(chunk)?.id))).toEqual(new Set(['chatcmpl-1']))
})

test.each(NAMES_PASSED_OVER)('case 121: a delta in a frame named %s is told: only its type counts', (name) => {
  const delta = (text: string, sequence_number: number) =>
    render({ shape: 'usual', delta: text, output_index: 0, content_index: 0, sequence_number })
  const misnamed = delta('lost?', 2).replace(/^event: .*/, `event: ${name}`)
  const done = { type: TEXT_DONE, output_index: 0, content_index: 0, text: 'Hi lost? no' }
  const stream = delta('Hi ', 1) + misnamed + delta(' no', 3) + namedFrame(done.type, done) + misnamed
  expect(converted([stream], hot)).toEqual(converted([stream], plain))
  expect(JSON.stringify(converted([stream], hot)).split('lost?').length).toBe(3)
})

test('the arguments of a call that were copied are known: what the whole has more is told, what it repeats is not', () => {
  const run = {
    kind: { type: 'response.function_call_arguments.delta' },
    misnamed: null,
    output_index: 0,
    part: 0,
  } as const
  const texts = ['{"a":"', 'é"\\', 'b"']
  const stream = renderRuns([{ ...run, texts, opened: true, whole: '}', ended: true }])
  const told = converted([stream], hot).flatMap((chunk) =>
    [...JSON.stringify(chunk).matchAll(/"arguments":("(?:[^"\\]|\\.)*")/g)].map(([, json]) => JSON.parse(json ?? '')),
  )
  expect(told).toEqual(['', ...texts, '}'])
})

test('long arguments are known as well', () => {
  const run = { kind: { type: 'response.function_call_arguments.delta' }, misnamed: null, output_index: 0, part: 0 }
  const texts = Array.from({ length: 1000 }, (_, index) => `"é\ud83d\ude00 ${index}`)
  const stream = renderRuns([{ ...run, texts, opened: true, whole: '!', ended: true }])
  const told = converted([stream], hot)
  expect(told).toEqual(converted([stream], plain))
  expect(JSON.stringify(told)).toContain('"arguments":"!"')
})

test('what is learnt late is told in the chunks after it', () => {
  const delta = (n: number) =>
    render({ shape: 'usual', delta: `${n}`, output_index: 0, content_index: 0, sequence_number: n })
  const queued = { type: 'response.queued', response: { service_tier: 'priority' } }
  const stream = delta(1) + delta(2) + namedFrame(queued.type, queued) + delta(3) + delta(4)
  const tiers = converted([stream.replace(/$/, namedFrame('response.completed', { type: 'response.completed' }))], hot)
  expect(tiers.map((chunk) => asObject(chunk)?.service_tier)).toEqual([null, null, null, ...Array(4).fill('priority')])
  expect(converted([stream], hot)).toEqual(converted([stream], plain))
})

test('a copied delta gives the very bytes that its chunk gives', () => {
  const run = { misnamed: null, output_index: 0, part: 0, opened: true, whole: null, ended: false }
  const texts = ['Hi', ' "you"\n', 'é', ' there']
  for (const kind of DELTA_KINDS) {
    const stream = renderRuns([{ ...run, kind, texts: ['first', ...texts] }])
    const [copied, rendered] = [hot, plain].map((path) => whole(path(new ChatStream(plan, 0)), stream))
    expect(copied).toBe(rendered)
  }
})

test('a delta without an end of its text takes the plain path, which leaves it out', () => {
  const good = render({ shape: 'usual', delta: 'a', output_index: 0, content_index: 0, sequence_number: 1 })
  const broken = good.replace('"delta":"a","logprobs":[]}', '"delta":"a')
  const stream = good + broken + good
  expect(converted([stream], hot)).toEqual(converted([stream], plain))
})

test.each(['', ',', ',}', '}}', ',"logprobs":['])(
  'a delta with %j behind its text takes the plain path, which leaves it out',
  (rest) => {
    const good = render({ shape: 'usual', delta: 'a', output_index: 0, content_index: 0, sequence_number: 1 })
    const stream = good + good + good.replace(',"logprobs":[]}', rest) + good
    expect(converted([stream], hot)).toEqual(converted([stream], plain))
  },
)

test('a delta that is cut off before the end of its text, as the last of a read, takes the plain path', () => {
  const good = render({ shape: 'usual', delta: 'a', output_index: 0, content_index: 0, sequence_number: 1 })
  for (let end = good.indexOf('","logprobs"'); end > 0; end--) {
    const stream = `${good}${good}${good.slice(0, end).trimEnd()}\n\n`
    expect(converted([stream], hot)).toEqual(converted([stream], plain))
  }
})

test('a model whose name is not ASCII is told in every chunk alike', () => {
  const foreign = { ...plan, model: 'é模' }
  const take = hot(new ChatStream(foreign, 0))
  const delta = (n: number) =>
    render({ shape: 'usual', delta: `${n}`, output_index: 0, content_index: 0, sequence_number: n })
  const stream = [1, 2, 3].map(delta).join('')
  const models = whole(take, stream)
    .split('\n\n')
    .filter(Boolean)
    .map(frameJson)
    .map((chunk) => asObject(chunk)?.model)
  expect(new Set(models)).toEqual(new Set(['é模']))
})

test('a part is told whole where another of its message streams', () => {
  const delta = render({ shape: 'usual', delta: 'a', output_index: 0, content_index: 0, sequence_number: 1 })
  const done = { type: TEXT_DONE, item_id: 'msg_1', output_index: 0, content_index: 1, text: 'second' }
  const stream = delta + namedFrame(done.type, done)
  expect(converted([stream], hot)).toEqual(converted([stream], plain))
})

test('an item is told whole when its only part is not the one that streamed', () => {
  const delta = render({ shape: 'usual', delta: 'a', output_index: 0, content_index: 1, sequence_number: 1 })
  const textDone = { type: TEXT_DONE, item_id: 'msg_1', output_index: 0, content_index: 1, text: 'a' }
  const item = { type: 'message', content: [{ type: 'output_text', annotations: [], text: 'first' }] }
  const done = { type: 'response.output_item.done', output_index: 0, item }
  const stream = delta + namedFrame(TEXT_DONE, textDone) + namedFrame(done.type, done)
  expect(converted([stream], hot)).toEqual(converted([stream], plain))
})

const messagePart = fc.record({
  text: fc.string({ unit: 'grapheme', minLength: 1 }),
  streamed: fc.boolean(),
  cited: fc.boolean(),
  /** The frames that repeat its text. */
  repeats: fc.subarray([TEXT_DONE, 'response.content_part.done']),
  itemDone: fc.boolean(),
  /** A second part, told by the item alone. */
  another: fc.boolean(),
})
type MessagePart = typeof messagePart extends fc.Arbitrary<infer Part> ? Part : never

function messageItem({ text, cited, another }: MessagePart) {
  const citation = { type: 'url_citation', start_index: 0, end_index: 1, title: 't', url: 'https://example.com' }
  const part = { type: 'output_text', annotations: cited ? [citation] : [], text }
  return { type: 'message', content: another ? [part, { ...part, text: 'more' }] : [part] }
}

/** The frames of one message with one part, in the order and with the fields of recorded streams. */
function renderMessage(message: MessagePart, output_index: number): string {
  const { text, streamed, repeats, itemDone } = message
  const place = { output_index, content_index: 0 }
  const item = messageItem(message)
  const [part] = item.content
  const events: Record<string, unknown>[] = [
    { type: 'response.output_item.added', output_index, item: { type: 'message', content: [] } },
    ...(streamed ? [{ type: 'response.output_text.delta', item_id: 'msg', ...place, delta: text }] : []),
    ...repeats.map((type) => ({ type, item_id: 'msg', ...place, ...(type === TEXT_DONE ? { text } : { part }) })),
    ...(itemDone ? [{ type: 'response.output_item.done', output_index, item }] : []),
  ]
  return events.map((event) => namedFrame(String(event.type), event)).join('')
}

/** So long that its Response is read in part. */
function renderEnd(output: readonly object[]): string {
  const response = { instructions: 'x'.repeat(5000), status: 'completed', output }
  return namedFrame('response.completed', { type: 'response.completed', response })
}

test('messages told in every way, with and without citations, before a last event that is read in part', () => {
  const call = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' }
  fc.assert(
    fc.property(
      fc.array(messagePart, { maxLength: 4 }),
      // Streams skip indexes.
      fc.integer({ min: 1, max: 2 }),
      fc.boolean(),
      fc.subarray([call]),
      fc.array(fc.nat()),
      (parts, step, listed, untold, cuts) => {
        // A message that others follow always ends so; only a stream that was cut can lack it.
        const whole = parts.map((part, at) => ({ ...part, itemDone: part.itemDone || at < parts.length - 1 }))
        const end = renderEnd(listed ? [...whole.map(messageItem), ...untold] : [])
        const stream = Buffer.from(whole.map((part, at) => renderMessage(part, at * step)).join('') + end)
        const pieces = cutAt(
          stream,
          cuts.map((at) => at % stream.length),
        )
        expect(converted(pieces, hot)).toEqual(converted([stream], plain))
      },
    ),
    { numRuns: 300 },
  )
})

test('case 137, 144: a message is told once where the last event, too long to be read whole, lists it elsewhere', () => {
  const message = (text: string) => ({
    ...{ text, streamed: true, cited: false, itemDone: true, another: false },
    repeats: [TEXT_DONE],
  })
  const [one, two] = [message('One.'), message('Two.')]
  const stream = renderMessage(one, 0) + renderMessage(two, 2) + renderEnd([messageItem(one), messageItem(two)])
  expect(whole(hot(new ChatStream(plan, 0)), stream).split('Two.').length).toBe(2)
})

test('a last event that lists no more than was told tells nothing', () => {
  const told = { text: 'One.', streamed: true, cited: false, repeats: [], itemDone: true, another: false }
  const other = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' }
  const stream = renderMessage(told, 0) + renderEnd([other])
  expect(converted([stream], hot)).toEqual(converted([stream], plain))
})

/** Knows what is parsed. */
class Watched extends ChatStream {
  readonly told: unknown[] = []

  override convert(event: unknown) {
    this.told.push(event)
    return super.convert(event)
  }
}

test.each(DELTA_KINDS)(
  '$type: of many in a row only the first is parsed, with sequence numbers and without',
  (kind) => {
    const run = { kind, misnamed: null, output_index: 0, part: 0, opened: true, whole: null, ended: false }
    const texts = Array.from({ length: 20 }, (_, index) => `${index}`)
    const numbered = renderRuns([{ ...run, texts }])
    for (const stream of [numbered, numbered.replace(/"sequence_number":\d+,/g, '')]) {
      const machine = new Watched(plan, 0)
      whole(hot(machine), stream)
      expect(machine.told.filter((event) => asObject(event)?.type === kind.type)).toHaveLength(1)
    }
  },
)

test('what says nothing after the first event is not read', () => {
  const response = { id: 'resp_1', created_at: 1, model: 'm' }
  const silent = [
    { type: 'response.in_progress', response },
    { type: 'response.content_part.added', output_index: 0 },
  ]
  const machine = new Watched(plan, 0)
  const created = { type: 'response.created', response }
  whole(hot(machine), [created, ...silent].map((event) => namedFrame(event.type, event)).join(''))
  expect(machine.told).toEqual([created])
})
