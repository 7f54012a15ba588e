import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutAt, inOneRead, withMixedEnds } from '../../test/support/bytes.ts'
import { recordedBytes } from '../../test/support/recorded.ts'
import { eventName, frameJson, leanFrameJson, unescaped } from './event.ts'
import { eventSink } from './event-sink.ts'
import { FrameReader } from './frame-reader.ts'

const isKept = (name: string) => ['id', 'usage', 'output'].includes(name)

/** The recorded events that tell a Response object and are long, for the request they repeat. */
const LONG_FRAMES = recordedBytes(/-stream$/)
  .flatMap(({ whole }) => whole.toString().split('\n\n'))
  .filter((frame) => frame.length > 4096 && frame.includes('"response":{"id":'))

test('of the recorded events that repeat the request the fields asked for are those of the whole', () => {
  expect(LONG_FRAMES.length).toBeGreaterThan(8)
  for (const frame of LONG_FRAMES) {
    const whole = frameJson(frame) as { response: object }
    const response = Object.entries(whole.response).filter(([name]) => isKept(name))
    expect(leanFrameJson(Buffer.from(frame), isKept)).toEqual({ ...whole, response: Object.fromEntries(response) })
  }
})

test.each(['event: a\n', ''])('the events of a stream are told whatever its lines end with, after %j', (name) => {
  const numbers = [1, 2, 3, 4, 5]
  const stream = numbers.map((number) => `${name}data: ${number}\n\n`).join('')
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1 }), fc.array(fc.nat(stream.length)), (isCrLf, at) => {
      const events: unknown[] = []
      const reader = new FrameReader(
        eventSink((event) => events.push(event)),
        1e9,
      )
      const { memory, ranges } = inOneRead(cutAt(withMixedEnds(stream, isCrLf), at))
      reader.take(memory, ranges)
      expect(events).toEqual(numbers)
    }),
  )
})

test('frames without JSON are left out', () => {
  const events: unknown[] = []
  const stream = Buffer.from('data: 1\n\n: ping\n\ndata: [DONE]\n\ndata: 2\n\n')
  eventSink((event) => events.push(event)).take(stream, [0, stream.length])
  expect(events).toEqual([1, 2])
})

const long = 'x'.repeat(5000)

test.each([
  ['another order', `{"response":{"id":"1","tools":"${long}"},"type":"response.completed"}`],
  ['spaces', `{"type": "response.completed", "response": {"id": "1", "tools": "${long}"}}`],
  ['no response', `{"type":"response.output_text.done","text":"${long}"}`],
])('an event of another form is told whole: %s', (_form, data) => {
  expect(leanFrameJson(Buffer.from(`event: response.completed\ndata: ${data}`), isKept)).toEqual(JSON.parse(data))
})

test('an event with its data in two lines is told whole', () => {
  const data = `{"type":"response.completed","response":{"id":"1","output":["${long}",\n2]}}`
  const frame = `event: response.completed\ndata: ${data.replace('\n', '\ndata: ')}`
  expect(leanFrameJson(Buffer.from(frame), isKept)).toEqual(JSON.parse(data))
})

test('a long event that was cut is none', () => {
  const frame = `event: response.completed\ndata: {"type":"response.completed","response":{"id":"1","tools":"${long}`
  expect(leanFrameJson(Buffer.from(frame), isKept)).toBeUndefined()
})

test('the inside of a JSON string is told as it reads; what is none is left as it is', () => {
  expect(unescaped('é\\n\\"')).toBe('é\n"')
  expect(unescaped('\\x')).toBe('\\x')
})

test('a frame has the name that it begins with, or none', () => {
  expect(eventName(Buffer.from('event: a.b\ndata: 1'))).toBe('a.b')
  for (const frame of ['data: 1\nevent: a', ': event: a\ndata: 1', '']) expect(eventName(Buffer.from(frame))).toBe('')
})
