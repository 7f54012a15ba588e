import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutAt, piecesOf } from '../../test/support/bytes.ts'
import { frameData, frameJson } from './event.ts'
import { eventSink } from './event-sink.ts'
import { FrameReader } from './frame-reader.ts'

const MAX = 1024

function framesOf(pieces: readonly string[], maxEvent = MAX): string[] {
  const frames: string[] = []
  const sink = {
    take(memory: Buffer, ranges: readonly number[]) {
      const whole = piecesOf(memory, ranges).flatMap((piece) => piece.toString('latin1').split('\n\n'))
      frames.push(...whole.filter((frame) => frame.trim() !== ''))
    },
  }
  const reader = new FrameReader(sink, maxEvent)
  for (const text of pieces) reader.take(Buffer.from(text, 'latin1'), [0, text.length])
  reader.end()
  return frames
}

/** Latin1 text in pieces, cut wherever. */
function pieces(text: string, positions: readonly number[]): string[] {
  const bytes = Buffer.from(text, 'latin1')
  return cutAt(
    bytes,
    positions.map((at) => at % (bytes.length + 1)),
  ).map((piece) => piece.toString('latin1'))
}

const STREAM = 'event: a\ndata: {"x":"\u00c3\u00a9"}\n\n: comment\n\ndata: 1\ndata: 2\n\n\n\ndata: [DONE]\n\n'

test.each([
  ['LF', STREAM],
  ['CRLF', STREAM.replaceAll('\n', '\r\n')],
  ['CR', STREAM.replaceAll('\n', '\r')],
])('case 121: frames do not depend on how a stream with %s line ends was cut', (_name, stream) => {
  const whole = framesOf([STREAM])
  fc.assert(
    fc.property(fc.array(fc.nat()), (at) => {
      expect(framesOf(pieces(stream, at)).map(frameData)).toEqual(whole.map(frameData))
    }),
  )
})

test('case 166: the last frame counts without its empty line, half an event does not', () => {
  const whole = 'data: {"a":1}\n\n'
  const last = 'event: b\ndata: {"b":\ndata: 2}'
  for (let length = 1; length < last.length; length++) {
    expect(framesOf([whole, last.slice(0, length)])).toEqual(['data: {"a":1}'])
  }
  for (const end of ['', '\n', '\r\n', '\n\n']) {
    expect(framesOf([whole, last, end]).map(frameJson)).toEqual([{ a: 1 }, { b: 2 }])
  }
})

test('the whole frames of a read are handed over at once, also when it begins and ends within others', () => {
  const handed: string[][] = []
  const reader = new FrameReader({ take: (memory, ranges) => handed.push(piecesOf(memory, ranges).map(String)) }, MAX)
  reader.take(Buffer.from('data: 1\n\ndata: 2\n\ndata'), [0, 9, 9, 18, 18, 22])
  reader.take(Buffer.from(': 3\n\ndata: 4\n\ndata: 5\n\nda'), [0, 5, 5, 14, 14, 23, 23, 25])
  expect(handed).toEqual([['data: 1\n\n', 'data: 2\n\n'], ['data: 3\n\n'], ['data: 4\n\n', 'data: 5\n\n']])
})

test('long frames in many pieces come whole, also where their memory was used before', () => {
  const frame = fc.tuple(fc.integer({ min: 1, max: 300_000 }), fc.constantFrom('a', 'b', 'c'))
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat()), (frames, at) => {
      const texts = frames.map(([length, letter]) => `data: ${letter.repeat(length)}`)
      const read = texts.flatMap((text) => pieces(`${text}\n\n`, at))
      expect(framesOf(read, 1e7)).toEqual(texts)
    }),
    {
      numRuns: 100,
      examples: [
        [
          [
            [5000, 'a'],
            [3_000_000, 'b'],
            [5000, 'c'],
          ],
          [1000],
        ],
      ],
    },
  )
})

test('a byte order mark before the first frame is dropped', () => {
  expect(framesOf(['\u00ef\u00bb\u00bfdata: 1\n\n'])).toEqual(['data: 1'])
})

test('a byte order mark is dropped where the stream begins, not where a read does', () => {
  const handed: string[] = []
  const reader = new FrameReader(
    { take: (memory, ranges) => handed.push(...piecesOf(memory, ranges).map(String)) },
    MAX,
  )
  const first = Buffer.from('c\r\n\ufeffdata: 1\n\n\r\n9\r\ndata: 2\n\n')
  reader.take(first, [3, 15, 20, 29])
  reader.take(Buffer.from('data: '), [0, 6])
  reader.take(Buffer.from('\ufeff3\n\n'), [0, 6])
  expect(handed).toEqual(['data: 1\n\n', 'data: 2\n\n', 'data: \ufeff3\n\n'])
})

test('case 121: a last frame without an empty line behind it is read', () => {
  expect(framesOf(['data: 1\n\ndata: 2'])).toEqual(['data: 1', 'data: 2'])
})

test('a last frame without an empty line behind it is handed over with one', () => {
  const handed: string[] = []
  const reader = new FrameReader(
    { take: (memory, ranges) => handed.push(...piecesOf(memory, ranges).map(String)) },
    MAX,
  )
  reader.take(Buffer.from('data: 1'), [0, 7])
  reader.end()
  expect(handed).toEqual(['data: 1\n\n'])
})

test('an event beyond the limit ends the stream with an error', () => {
  expect(framesOf(['data: ', 'x'.repeat(MAX - 8), '\n\n'])).toHaveLength(1)
  expect(() => framesOf(['data: ', 'x'.repeat(MAX)])).toThrow(
    'Upstream sent an event of more than 1024 bytes (--max-event).',
  )
})

test('an event beyond the limit does so also if it comes whole, between others and whatever its line ends', () => {
  const long = `data: ${'x'.repeat(MAX - 8)}`
  for (const text of [
    'data: 1\n\nLONG\n\ndata: 2\n\n',
    'LONG\r\n\r\ndata: 2',
    '\n\nLONG\n\n\n',
    'data: 1\n\nLONG\n\nda',
  ]) {
    expect(framesOf([text.replace('LONG', long)])).toContain(long)
    expect(() => framesOf([text.replace('LONG', `${long}x`)])).toThrow('an event of more than 1024 bytes')
  }
})

test('case 121: a huge event in many pieces is joined once', () => {
  const pieces = Array.from({ length: 20_000 }, () => 'x'.repeat(500))
  expect(framesOf(['data: ', ...pieces, '\n\n'], 20_000_000)[0]?.length).toBe(10_000_006)
})

test('case 121: data of several lines is joined, a missing space after the colon is fine, other fields are not data', () => {
  expect(frameData('event: x\ndata:1\ndata: 2\ndatabase: 3\nid: 4')).toBe('1\n2')
  expect(frameData('event: x\ndata: 1\ndata: 2')).toBe('1\n2')
  expect(frameData('data: 1\ndata: 2')).toBe('1\n2')
  expect(frameData('event: x\nid: 123')).toBeUndefined()
  expect(frameData('data')).toBe('')
  expect(frameData(': comment')).toBeUndefined()
})

test('case 121: JSON is read as UTF-8, also where a read ends within a character', () => {
  const whole = Buffer.from('data: {"x":"é\u2028"}\n\n')
  for (let at = 1; at < whole.length; at++) {
    const events: unknown[] = []
    const reader = new FrameReader(
      eventSink((event) => events.push(event)),
      MAX,
    )
    for (const piece of cutAt(whole, [at])) reader.take(piece, [0, piece.length])
    expect(events).toEqual([{ x: 'é\u2028' }])
  }
})

test('events are told once each, however many empty lines stand around them and wherever a read ends', () => {
  const gap = fc.integer({ min: 2, max: 6 }).map((lines) => '\n'.repeat(lines))
  fc.assert(
    fc.property(fc.array(gap, { maxLength: 8 }), fc.array(fc.nat()), (gaps, at) => {
      const events: unknown[] = []
      const reader = new FrameReader(
        eventSink((event) => events.push(event)),
        MAX,
      )
      const stream = `\n${gaps.map((lines, n) => `data: {"n":${n}}${lines}`).join('')}`
      for (const text of pieces(stream, at)) reader.take(Buffer.from(text), [0, text.length])
      reader.end()
      expect(events).toEqual(gaps.map((_, n) => ({ n })))
    }),
  )
})

test('case 121: garbage and [DONE] are nothing', () => {
  expect(frameJson('data: [DONE]')).toBeUndefined()
  expect(frameJson('data: {"x":')).toBeUndefined()
})
