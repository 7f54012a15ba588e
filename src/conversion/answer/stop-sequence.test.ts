import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  answer,
  callItem,
  chatPlan,
  deltasOf,
  event,
  finishReasonOf,
  messageItem,
  messageOf,
} from '../../../test/support/answers.ts'
import { ChatStream } from './chat-stream.ts'
import { StopSequence } from './stop-sequence.ts'

const USAGE = { input_tokens: 3, output_tokens: 2, total_tokens: 5 }

const told = ['One, t', 'wo, th', 'ree, four'].map((text) => event.text(0, text))

test('case 13: the answer ends before a stop text that straddles deltas, and nothing more is read', () => {
  const stream = new ChatStream(chatPlan({ stop: ['three', 'nothing'] }), 0)
  const chunks = told.flatMap((one) => stream.convert(one))
  expect(
    deltasOf(chunks)
      .map(({ content }) => content ?? '')
      .join(''),
  ).toBe('One, two, ')
  expect(finishReasonOf(chunks)).toBe('stop')
  expect(stream.ended).toBe(true)
})

test('case 13: text is swallowed up to the terminal event when usage must be reported', () => {
  const stream = new ChatStream(chatPlan({ stop: ['two'], includeUsage: true }), 0)
  const chunks = told.flatMap((one) => stream.convert(one))
  expect([finishReasonOf(chunks), stream.ended]).toEqual(['stop', false])
  const last = stream.convert(event.completed({ usage: USAGE }))
  expect(last).toMatchObject([{ choices: [], usage: { total_tokens: 5 } }])
  expect(stream.ended).toBe(true)
})

test('case 13: what upstream goes on to say after a stop text is not told while its usage is awaited', () => {
  const stream = new ChatStream(chatPlan({ stop: ['three'], includeUsage: true, showReasoning: true }), 0)
  for (const one of told) stream.convert(one)
  const thought = { type: 'response.reasoning_summary_text.delta', output_index: 1, summary_index: 0, delta: 'Hm.' }
  expect(stream.convert(thought)).toEqual([])
})

test('case 13: what may become a stop text is told with what follows it, and in no chunk before', () => {
  const stream = new ChatStream(chatPlan({ stop: ['three'] }), 0)
  const deltas = ['One', 'th', 'is'].map((text) => deltasOf(stream.convert(event.text(0, text))).slice(-1))
  expect(deltas).toEqual([[{ content: 'One' }], [], [{ content: 'this' }]])
})

test('case 13: a stop text may be split by the end of a call that was opened before it', () => {
  const call = [event.added(0, callItem('call_1', '')), event.done(0, callItem('call_1', '{}'))] as const
  const events = [call[0], event.text(1, 'One th'), call[1], event.text(1, 'ree, four'), event.completed()]
  expect(messageOf(events, { stop: ['three'] }).content).toBe('One ')
})

test('case 13, 99: JSON that comes in pieces is told whole beside a stop text', () => {
  const events = ['{"a"', ':1}'].map((text) => event.text(0, text))
  expect(messageOf([...events, event.completed()], { stop: ['x'], jsonOutput: true }).content).toBe('{"a":1}')
})

test.each([
  ['that end at the same place the longer', ['b', 'ab'], 'xab', 'x'],
  ['that overlap the one that is whole first', ['bc', 'abcd'], 'xabcd', 'xa'],
])('case 13: of two stop texts %s cuts, in whichever order they are given', (_which, stops, text, told) => {
  expect(new StopSequence(stops).push(text)).toBe(told)
  expect(new StopSequence(stops.toReversed()).push(text)).toBe(told)
})

test('case 13: an answer in one piece is cut too and reports usage', () => {
  const { completion } = answer([...told, event.completed({ usage: USAGE })], { stop: ['two'], stream: false })
  expect(completion).toMatchObject({
    choices: [{ message: { content: 'One, ' }, finish_reason: 'stop' }],
    usage: { total_tokens: 5 },
  })
})

test('case 13: without a match nothing is lost', () => {
  expect(messageOf([...told, event.completed()], { stop: ['four!', 'e, f!'] }).content).toBe('One, two, three, four')
})

test('a failure after the cut is none: the client has its answer', () => {
  const failed = { type: 'response.failed', response: { error: { code: 'server_error', message: 'x' } } }
  expect(() => answer([...told, failed], { stop: ['two'], stream: false })).not.toThrow()
  expect(() => answer(told, { stop: ['two'], stream: false })).not.toThrow()
})

test('the answer never ends within a tool call as if the call were whole', () => {
  const { chunks } = answer([event.added(0, callItem('call_1', '')), event.text(1, 'the end')], { stop: ['end'] })
  expect(finishReasonOf(chunks)).toBe('stop')
})

test('a whole call beside one that is not does not make the answer whole', () => {
  const calls = [event.done(0, callItem('call_1', '{}')), event.added(1, callItem('call_2', ''))]
  expect(finishReasonOf(answer([...calls, event.text(2, 'the end')], { stop: ['end'] }).chunks)).toBe('stop')
})

test('a stop text after a whole call takes nothing from it', () => {
  const { chunks } = answer([event.done(0, callItem('call_1', '{}')), event.text(1, 'the end')], { stop: ['end'] })
  expect(finishReasonOf(chunks)).toBe('tool_calls')
})

test('what could have become a stop text comes before the tool call that follows it', () => {
  const { chunks } = answer(
    [
      event.text(0, 'At the e'),
      event.added(1, callItem('call_1', '{}')),
      event.done(1, callItem('call_1', '{}')),
      event.completed(),
    ],
    { stop: ['end'] },
  )
  const kinds = deltasOf(chunks).flatMap((delta) =>
    delta.tool_calls ? ['call'] : delta.content ? [delta.content] : [],
  )
  expect(kinds.slice(0, 2)).toEqual(['At the ', 'e'])
  expect(new Set(kinds.slice(2))).toEqual(new Set(['call']))
})

test('what was held for a call is told with the possible beginning of a stop text at its end', () => {
  const commentary = [event.added(0, messageItem('', 'commentary')), event.text(0, 'At the e')]
  const events = [...commentary, event.done(1, callItem('call_1', '{}')), event.completed()]
  expect(messageOf(events, { stop: ['end'] }).content).toBe('At the e')
})

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 0, maxLength: 12 })
const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 4,
})

test('where the cut is does not depend on how the text came in pieces', () => {
  fc.assert(
    fc.property(stops, fc.array(letters), (texts, pieces) => {
      const whole = new StopSequence(texts)
      const cut = new StopSequence(texts)
      const atOnce = whole.push(pieces.join('')) + whole.end()
      const inPieces = pieces.map((piece) => cut.push(piece)).join('') + cut.end()
      expect([inPieces, cut.stopped]).toEqual([atOnce, whole.stopped])
    }),
  )
})

test('what is let through holds no stop text, and is the beginning of the text', () => {
  fc.assert(
    fc.property(stops, letters, (texts, text) => {
      const stop = new StopSequence(texts)
      const out = stop.push(text) + stop.end()
      expect(text.startsWith(out)).toBe(true)
      expect(texts.some((one) => out.includes(one))).toBe(false)
      expect(stop.stopped).toBe(texts.some((one) => text.includes(one)))
    }),
  )
})

/** Every text of the letters a and b up to that length, the empty one too. */
function textsUpTo(length: number): string[] {
  if (length === 0) return ['']
  const shorter = textsUpTo(length - 1)
  const longest = shorter.filter((text) => text.length === length - 1)
  return [...shorter, ...longest.flatMap((text) => [`${text}a`, `${text}b`])]
}

test('any stop text is found where it first stands, however often the text before it begins like it', () => {
  const texts = textsUpTo(9)
  for (const stop of textsUpTo(5).slice(1)) {
    const cuts = texts.map((text) => {
      const sequence = new StopSequence([stop])
      return sequence.push(text) + sequence.end()
    })
    expect(cuts, stop).toEqual(texts.map((text) => text.split(stop)[0]))
  }
})

test('a long stop text that the answer keeps beginning takes no time that grows with its square', () => {
  // With a comparison from each position anew, this alone takes minutes.
  const length = 250_000
  const stop = new StopSequence([`${'a'.repeat(length)}b`])
  const almost = `${'a'.repeat(length)}c`
  expect(stop.push(almost) === almost).toBe(true)
})

test('a stop text in what was held for a call ends the answer before the call', () => {
  const commentary = [event.added(0, messageItem('', 'commentary')), event.text(0, 'Now stop here.')]
  const { completion } = answer([...commentary, event.done(1, callItem('call_1', '{}')), event.completed()], {
    stop: ['stop'],
  })
  expect(completion.choices).toMatchObject([{ message: { content: 'Now ' }, finish_reason: 'stop' }])
  expect(completion.choices[0]?.message).not.toHaveProperty('tool_calls')
})

test('an incomplete answer that holds a stop text ended by it', () => {
  const incomplete = { type: 'response.incomplete', response: { output: [messageItem('One, two')] } }
  expect(finishReasonOf(answer([incomplete], { stop: ['two'] }).chunks)).toBe('stop')
})

const citation = (start_index: number, end_index: number) => ({
  ...{ type: 'url_citation', url: 'https://a.example', title: 'a' },
  ...{ start_index, end_index },
})
const part = (text: string, ...annotations: unknown[]) => ({ type: 'output_text', text, annotations })
const ranges = ({ annotations }: ReturnType<typeof messageOf>) =>
  annotations.map(({ url_citation: { start_index, end_index } }) => [start_index, end_index])

test('case 13, 139: what a stop text cut off is not cited', () => {
  const content = [
    part('😀Hello ', citation(1, 6)),
    part('old END link', citation(0, 4), citation(1, 5), citation(8, 12)),
  ]
  const item = { type: 'message', content }
  for (const events of [[event.done(0, item)], [event.completed({ output: [item] })]]) {
    const message = messageOf([...events, event.completed()], { stop: ['END'] })
    expect(message.content).toBe('😀Hello old ')
    expect(ranges(message)).toEqual([
      [1, 6],
      [7, 11],
    ])
  }
})

test('case 13, 139: where a stop text cut off every citation nothing is told of them', () => {
  const item = { type: 'message', content: [part('Hello END link', citation(10, 14))] }
  const { chunks } = answer([event.done(0, item)], { stop: ['END'] })
  expect(deltasOf(chunks).at(-2)).toEqual({ content: 'Hello ' })
})

test('case 13, 139: without a match every citation stays', () => {
  const item = { type: 'message', content: [part('Hello link', citation(6, 10))] }
  expect(ranges(messageOf([event.done(0, item), event.completed()], { stop: ['END', 'ink!'] }))).toEqual([[6, 10]])
})

test('case 13: nothing that comes after a stop text in the same event is told', () => {
  const item = { type: 'message', content: [part('Hello END'), { type: 'refusal', refusal: 'No.' }] }
  const after = [
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] },
    { type: 'image_generation_call', result: 'aGk=' },
    callItem('call_1', '{}'),
  ]
  for (const events of [[event.done(0, item)], [event.completed({ output: [item, ...after] })]]) {
    const message = messageOf([...events, event.completed()], { stop: ['END'] })
    expect(message).toEqual({ role: 'assistant', content: 'Hello ', refusal: null, annotations: [] })
  }
})

test('what was held back counts as let through once it is', () => {
  const stop = new StopSequence(['END'])
  expect(stop.push('aE') + stop.end() + stop.push('bENDc')).toBe('aEb')
  expect(stop.passed).toBe(3)
})
