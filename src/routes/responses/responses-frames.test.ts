import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CR_EVENTS, cutAt, inOneRead, withCrEvents, withMixedEnds } from '../../../test/support/bytes.ts'
import { recordedBytes } from '../../../test/support/recorded.ts'
import { unfinishedError } from '../../conversion/failure/upstream-error.ts'
import { frameJson } from '../../sse/event.ts'
import { FrameOutput } from '../../sse/frame-output.ts'
import { FrameReader } from '../../sse/frame-reader.ts'
import { namedFrame } from '../../sse/frames.ts'
import { ResponsesFrames } from './responses-frames.ts'

const item = { type: 'message', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }
const done = { type: 'response.output_item.done', output_index: 0, item }

/** As upstream sends it: with the instructions and tools of the request, so that it is long. */
function completed(output: unknown[]) {
  const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 }
  const response = { id: 'resp_1', status: 'completed', instructions: 'x'.repeat(5000), output, tools: [{}], usage }
  return { type: 'response.completed', sequence_number: 9, response }
}

function passed(...events: { type: string }[]) {
  const out = new FrameOutput()
  const frames = new ResponsesFrames(out)
  const stream = events.map((event) => namedFrame(event.type, event)).join('')
  frames.take(Buffer.from(stream), [0, Buffer.byteLength(stream)])
  return { stream, out: out.take().toString(), usage: frames.usage }
}

test('a long last event that tells its output passes as it is, its usage noticed', () => {
  const { stream, out, usage } = passed(done, completed([item]))
  expect(out).toBe(stream)
  expect(usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 2 })
})

test('a long last event without output gets the items that were streamed, and keeps all it has', () => {
  const { out } = passed(done, completed([]))
  expect(frameJson(out.split('\n\n')[1] ?? '')).toEqual(completed([item]))
})

test.each([null, undefined])(
  'wire 5.1: a last event without a list gets an empty one when nothing was told (%s)',
  (output) => {
    const end = completed([])
    const bare = { ...end, response: { ...end.response, output } }
    expect(told({ type: 'response.created' }, bare).at(-1)).toEqual(end)
  },
)

test('wire 5.1: a last event that lists fewer items than were told gets all of them', () => {
  const reasoning = { type: 'reasoning', summary: [] }
  const before = [
    { ...done, item: reasoning },
    { ...done, output_index: 1 },
  ]
  expect(told(...before, completed([reasoning])).at(-1)).toEqual(completed([reasoning, item]))
  const again = passed(...before, ...before, completed([reasoning, item]))
  expect(again.out).toBe(again.stream)
})

test('an item is noticed in whatever form its event writes its type', () => {
  const escaped = namedFrame(done.type, done).replace(
    '{"type":"response.output_item',
    '{"type":"response.output\\u005fitem',
  )
  const [passed = '', end = ''] = passedOn([escaped, namedFrame('response.completed', completed([]))], true).split(
    '\n\n',
  )
  expect(`${passed}\n\n`).toBe(escaped)
  expect(frameJson(end)).toEqual(completed([item]))
})

test('a last event without output to which nothing can be added passes byte for byte', () => {
  const spaced = namedFrame('response.completed', completed([])).replace('"status":', '"status": ')
  expect(passedOn([spaced], true)).toBe(spaced)
})

describe('what may be remembered of an answer', () => {
  const delta = { type: 'response.output_text.delta', sequence_number: 0, delta: 'Hi' }
  function remembered(...events: { type: string }[]) {
    const frames = new ResponsesFrames(new FrameOutput())
    const stream = Buffer.from(events.map((event) => namedFrame(event.type, event)).join(''))
    frames.take(stream, [0, stream.length])
    return { id: frames.responseId, items: frames.items }
  }
  const ended = (type: string, output: unknown[]) => ({
    type,
    response: { ...completed(output).response, id: 'resp_1' },
  })

  test.each(['response.completed', 'response.incomplete'])('%s: its id and the items that were told', (type) => {
    expect(remembered(delta, done, ended(type, []))).toEqual({ id: 'resp_1', items: [item] })
  })

  test('the items of the last event, if fewer were told before it', () => {
    expect(remembered(delta, ended('response.completed', [item]))).toEqual({ id: 'resp_1', items: [item] })
  })

  test('case 108: what is encrypted as it was told, since the last event has it otherwise', () => {
    const last = { ...item, encrypted_content: 'other' }
    expect(remembered(delta, done, ended('response.completed', [last]))).toEqual({ id: 'resp_1', items: [item] })
  })

  test('the items that were told before a failure, but no id to go on from', () => {
    const failed = {
      type: 'response.failed',
      response: { id: 'resp_1', status: 'failed', error: { code: 'x', message: 'X.' } },
    }
    expect(remembered(delta, done, failed)).toEqual({ id: undefined, items: [item] })
    expect(remembered(delta, done)).toEqual({ id: undefined, items: [item] })
  })
})

/** The only event from which Codex reads a failure. */
function failedAs(error: { code: string; message: string }, sequence_number: number, begun: object = {}) {
  const response = { ...begun, object: 'response', status: 'failed', error, incomplete_details: null, usage: null }
  return { type: 'response.failed', sequence_number, response: { ...response, output: [item] } }
}

function told(...events: { type: string }[]): unknown[] {
  const frames = passed(...events).out.split('\n\n')
  return frames.slice(0, -1).map((frame) => frameJson(frame))
}

test('wire 5.1: a failure told by the last event alone is told by an error event first, as the API does', () => {
  const delta = { type: 'response.output_text.delta', sequence_number: 0, delta: 'Hi' }
  const error = { code: 'server_error', message: 'Sorry.' }
  const failed = { type: 'response.failed', sequence_number: 2, response: { id: 'resp_1', status: 'failed', error } }
  expect(told(delta, done, failed)).toMatchObject([
    delta,
    done,
    { type: 'error', sequence_number: 2, ...error, error },
    { type: 'response.failed', sequence_number: 3, response: { ...failed.response, output: [item] } },
  ])
  const listed = { ...failed, response: { ...failed.response, output: [item] } }
  expect(told(delta, done, listed)).toEqual(told(delta, done, failed))
  const misnamed = { ...failed, type: 'response.completed' }
  expect(told(delta, done, misnamed)).toEqual(told(delta, done, failed))
  const said = { type: 'error', sequence_number: 2, error: { ...error, type: 'server_error' } }
  for (const events of [[said, failed], [said]]) {
    expect(told(delta, done, ...events)).toEqual([delta, done, said, failedAs(error, 3)])
  }
  const blocked = { ...said, error: { ...said.error, misalignment: { review_target: 'review_1' } } }
  expect(told(delta, blocked)).toMatchObject([
    delta,
    blocked,
    { type: 'response.failed', response: { error: { ...error, misalignment: { review_target: 'review_1' } } } },
  ])
})

test('a failure that upstream did not tell as a Response has all that the answer began with, for clients with fixed types', () => {
  const settings = { parallel_tool_calls: false, tool_choice: 'auto', tools: [{ type: 'web_search' }], top_p: 1 }
  const begun = { id: 'resp_1', created_at: 1_790_000_000, model: 'gpt-5.5', ...settings }
  const response = { ...begun, object: 'response', status: 'in_progress', error: null, output: [] }
  const created = { type: 'response.created', sequence_number: 0, response }
  const frames = new ResponsesFrames(new FrameOutput(), { model: begun.model })
  const stream = Buffer.from([created, done].map((event) => namedFrame(event.type, event)).join(''))
  frames.take(stream, [0, stream.length])
  const error = unfinishedError()
  const [, failed] = frames.failure(error).split('\n\n')
  const message = `${error.message} ${error.remedy}`
  expect(frameJson(failed ?? '')).toEqual(failedAs({ code: error.code, message }, 3, begun))
})

test.each([{}, { response: null }])('a last event that tells no Response is a failure (%j)', (end) => {
  const delta = { type: 'response.output_text.delta', sequence_number: 0, delta: 'Hi' }
  const completed = { type: 'response.completed', sequence_number: 1, ...end }
  const error = { code: 'upstream_invalid', message: expect.stringContaining('without sending the response') }
  const failed = { type: 'response.failed', response: { object: 'response', status: 'failed', error, output: [] } }
  expect(told(delta, completed)).toMatchObject([delta, { type: 'error', error }, failed])
  expect(() => passed({ type: 'response.created' }, completed)).toThrow('without sending the response')
})

test('what shows a client nothing is not visible, and events of the vendor are left out; the end is visible', () => {
  const out = new FrameOutput()
  const frames = new ResponsesFrames(out)
  const take = (event: { type: string }) => {
    const frame = Buffer.from(namedFrame(event.type, event))
    frames.take(frame, [0, frame.length])
  }
  for (const type of ['response.created', 'codex.rate_limits']) take({ type })
  expect(out.take().toString()).toBe(namedFrame('response.created', { type: 'response.created' }))
  expect(frames.visible).toBe(false)
  take(completed([]))
  expect(frames.visible).toBe(true)
})

test('case 167: a failure before anything is visible is thrown', () => {
  const error = { code: 'server_error', message: 'Sorry.' }
  const failed = { type: 'response.failed', sequence_number: 1, response: { status: 'failed', error } }
  expect(() => passed({ type: 'response.created' }, failed)).toThrow('Sorry.')
})

test('wire 5.2: an error event that is flat or has no number is told in the form that all clients know', () => {
  const created = { type: 'response.created' }
  const error = { code: 'server_error', message: 'Sorry.', param: null }
  const whole = { type: 'error', ...error, sequence_number: 2, error: { ...error, type: 'server_error' } }
  const flat = { type: 'error', ...error, sequence_number: 2 }
  const unnumbered = { type: 'error', error: whole.error }
  const failed = failedAs({ code: error.code, message: error.message }, 3)
  for (const event of [flat, unnumbered]) expect(told(created, done, event)).toEqual([created, done, whole, failed])
})

const FAULT = { type: 'server_error', code: 'broken', message: 'Sorry.', param: null }

test.each([
  [{ ...FAULT, code: null }, { code: 'upstream_error' }],
  [{ ...FAULT, type: null }, {}],
  [{ ...FAULT, message: null }, { message: expect.any(String) }],
])('wire 5.2: an error event that lacks something gets it: clients take %j for an invalid answer', (error, made) => {
  const said = { type: 'error', sequence_number: 2, error }
  expect(told(done, said).at(-2)).toMatchObject({ sequence_number: 1, error: { ...FAULT, ...made } })
})

test.each(['', '{"type":"response.completed","response":{'])(
  'case 166: a last event that is no JSON is left out and ends nothing (%j)',
  (data) => {
    const delta = namedFrame('response.output_text.delta', { type: 'response.output_text.delta', delta: 'a' })
    const whole = namedFrame('response.completed', completed([item]))
    expect(passedOn([delta, `event: response.completed\ndata: ${data}\n\n`, whole], true)).toBe(delta + whole)
  },
)

const MARKS = ['data: [DONE]\n\n', 'data:[DONE]\n\n', ': over\ndata: [DONE]\n\n', 'event: done\ndata: [DONE]\n\n']

test.each(MARKS)(
  'case 166: what says that a stream is over is left out, so that an answer without its end is no whole one (%j)',
  (mark) => {
    const delta = namedFrame('response.output_text.delta', { type: 'response.output_text.delta', delta: '[DONE]' })
    const comment = ': data: [DONE]\n\n'
    expect(passedOn([delta, comment, mark], true)).toBe(delta + comment)
  },
)

test.each(['message', 'response.output_text.delta', 'response.created'])(
  'wire 5.1: the type in the data counts, whatever the frames are named (%s)',
  (name) => {
    const delta = { type: 'response.output_text.delta', sequence_number: 1, delta: 'a' }
    const stream = [delta, delta, done, completed([item])].map((event) => namedFrame(name, event)).join('')
    const out = new FrameOutput()
    const frames = new ResponsesFrames(out)
    frames.take(Buffer.from(stream), [0, Buffer.byteLength(stream)])
    expect(out.take().toString()).toBe(stream)
    expect([frames.visible, frames.ended]).toEqual([true, true])
    const failure = frames.failure(unfinishedError())
    expect(failure).toMatch(/^event: error\n.*"sequence_number":4.*\n\nevent: response\.failed\n.*"sequence_number":5/)
    expect(frames.usage).toMatchObject({ total_tokens: 5 })
  },
)

test('a delta by its name that ends the answer by its type is no delta', () => {
  const delta = { type: 'response.output_text.delta', delta: 'a' }
  const stream = `${namedFrame(delta.type, delta)}${namedFrame(delta.type, completed([item]))}`
  const frames = new ResponsesFrames(new FrameOutput())
  frames.take(Buffer.from(stream), [0, Buffer.byteLength(stream)])
  expect(frames.ended).toBe(true)
})

const STREAMS = recordedBytes(/^(?:resp|chatgpt)-.*-stream$/)

/** What is passed on of these pieces of a stream, all in one read or one after the other; a failure ends it. */
function passedOn(pieces: readonly (Buffer | string)[], together: boolean): string {
  const out = new FrameOutput()
  const frames = new ResponsesFrames(out)
  const reader = new FrameReader(frames, 1e9)
  try {
    for (const read of together ? [inOneRead(pieces)] : pieces.map((piece) => inOneRead([piece]))) {
      reader.take(read.memory, read.ranges)
    }
    reader.end()
  } catch (error) {
    // Nothing of it has been sent yet, and it is answered with a status of its own.
    if (!frames.visible) out.clear()
    out.text(`failed: ${error}`)
  }
  return out.take().toString()
}

test.each(STREAMS)('$name: what is passed on does not depend on how the bytes were cut', ({ whole }) => {
  const passed = passedOn([whole], true)
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 30 }), fc.boolean(), (at, together) => {
      expect(passedOn(cutAt(whole, at), together)).toBe(passed)
    }),
    { numRuns: 20 },
  )
})

test.each(STREAMS.filter(({ whole }) => !whole.includes('\r')))(
  '$name: what is passed on does not depend on which lines end with CRLF',
  ({ whole }) => {
    const passed = passedOn([whole], true)
    const ends = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(ends, fc.array(fc.nat(whole.length), { maxLength: 10 }), fc.boolean(), (isCrLf, at, together) => {
        const pieces = cutAt(withMixedEnds(whole.toString(), isCrLf), at)
        expect(passedOn(pieces, together).replaceAll('\r', '')).toBe(passed)
      }),
      { numRuns: 20 },
    )
  },
)

test.each(STREAMS.filter(({ whole }) => !whole.includes('\r')))(
  '$name: what is passed on does not depend on which events have lines that end with CR',
  ({ whole }) => {
    const passed = passedOn([whole], true)
    for (const isCr of CR_EVENTS) expect(passedOn([withCrEvents(whole.toString(), isCr)], true)).toBe(passed)
  },
)

test('a read with a sign of life that ends with CRLF passes once, what comes after it too', () => {
  const delta = namedFrame('response.output_text.delta', { type: 'response.output_text.delta', delta: 'a' })
  const reads = [`${delta}: alive\r\n\r\n${delta}`, delta]
  for (const together of [true, false]) expect(passedOn(reads, together)).toBe(`${delta}: alive\n\n${delta}${delta}`)
})

test.each([1, 2, 3])('%d empty lines too many after each event pass, and the last event is noticed', (more) => {
  const streams = STREAMS.map(({ whole }) => whole.toString()).filter((text) => !text.includes('\r'))
  for (const text of streams) {
    const wide = text.split(/(?<=\n\n)/).map((event) => event + '\n'.repeat(more))
    for (const together of [true, false]) {
      expect(passedOn(wide, together).replace(/\n{3,}/g, '\n\n')).toBe(passedOn([text], true))
    }
  }
})

test('a named delta without data does not swallow the event behind it', () => {
  const delta = namedFrame('response.output_text.delta', { type: 'response.output_text.delta', delta: 'a' })
  const bare = 'event: response.output_text.delta\n\n'
  const end = namedFrame('response.completed', completed([item]))
  expect(passedOn([delta + bare + end + delta], true)).toBe(delta + bare + end)
})

test('recorded streams with an output pass byte for byte but for events of the vendor', () => {
  const texts = STREAMS.map(({ whole }) => whole.toString())
  const told = texts.filter((text) => text.includes('"output":[{') && !text.includes('\r'))
  expect(told.length).toBeGreaterThan(10)
  for (const text of told) {
    const events = text.split(/(?<=\n\n)/)
    const passed = passedOn(events, true)
    const usual = events.filter((event) => !event.startsWith('event: codex.')).join('')
    expect(usual.startsWith(passed)).toBe(true)
    expect(passed.trimEnd().split('\n\n').at(-1)).toMatch(/^event: response\.(completed|incomplete)$/m)
  }
})
