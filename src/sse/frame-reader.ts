import { ProxyError } from '../errors.ts'
import { BufferPool } from './buffer-pool.ts'
import { bytesJson } from './event.ts'

export type FrameSink = {
  /**
   * Takes whole frames: each of the `ranges` of `memory` (start, end, start, end, …) holds one or more, each ended by
   * an empty line (`\n\n`). The memory is reused afterwards.
   */
  take(memory: Buffer, ranges: readonly number[]): void
}

/** Returned instead of an end if lines end differently, as a keep-alive that a proxy put before an event may. */
export const MIXED_LINE_ENDS = -2

/**
 * Where the frame that begins at `at` ends: two bytes before the next one. A superfluous empty line is an empty frame,
 * which ends before it begins. -1 if there is no end; MIXED_LINE_ENDS if `withLineFeeds` has to be applied first.
 */
export function frameEnd(memory: Buffer, at: number): number {
  if (memory[at] === LF) return at - 1
  let end = memory.indexOf(LF, at)
  while (end !== -1 && memory[end + 1] !== LF) {
    if (memory[end - 1] === CR) return MIXED_LINE_ENDS
    end = memory.indexOf(LF, end + 1)
  }
  return end
}

/** The same lines, all ended with LF. */
export function withLineFeeds(lines: Buffer): Buffer {
  return Buffer.from(lines.toString('latin1').replace(/\r\n?/g, '\n'), 'latin1')
}

/**
 * The frame between these positions, `end` as returned by `frameEnd`; undefined if `withLineFeeds` has to be applied
 * first: events whose lines end with CR alone look like the beginning of the next frame.
 */
export function frameAt(memory: Buffer, at: number, end: number): Buffer | undefined {
  if (end === MIXED_LINE_ENDS) return undefined
  const frame = memory.subarray(at, Math.max(at, end))
  return frame.includes(CR) ? undefined : frame
}

/**
 * Splits an event stream into frames
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream). Works on bytes: no byte of
 * a UTF-8 sequence looks like a line end. Lines that end with CR or CRLF are converted to LF.
 */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #maxEvent: number
  /**
   * The beginning of a frame whose end has not arrived. It is a copy, so that the (mostly much larger) memory it was
   * read into need not be kept, and so that the few long frames at the end of an answer share one piece of memory.
   */
  #rest: Buffer = NOTHING
  #restLength = 0
  /** The last byte was a CR: a LF after it belongs to the same line end. */
  #afterCr = false
  /** The first piece of all may begin with a byte order mark. */
  #first = true

  constructor(sink: FrameSink, maxEvent: number) {
    this.#sink = sink
    this.#maxEvent = maxEvent
  }

  /** The ranges of `memory` (start, end, start, end, …) that belong to the stream. */
  take(memory: Buffer, ranges: readonly number[]): void {
    const mark = this.#first && startsWithMark(memory, ranges[0] ?? 0) ? BYTE_ORDER_MARK.length : 0
    this.#first = false
    if (mark > 0) {
      const [start = 0, ...others] = ranges
      this.take(memory, [start + mark, ...others])
      return
    }
    for (let at = 0; at < ranges.length; ) {
      const end = this.#isBetweenFrames() ? endOfWhole(memory, ranges, at, this.#maxEvent) : at
      if (end > at) this.#sink.take(memory, at === 0 && end === ranges.length ? ranges : ranges.slice(at, end))
      if (end < ranges.length) this.#takePiece(memory.subarray(ranges[end], ranges[end + 1]))
      at = end + 2
    }
  }

  /**
   * The stream has ended. A last frame without its empty line still counts, since servers forget that line. Half an
   * event does not: if no length or chunk shows that the body was cut off, it looks like that.
   */
  end(): void {
    if (bytesJson(this.#rest.subarray(0, this.#restLength)) === undefined) return
    this.#add(EMPTY_LINE)
    this.#handOver()
  }

  #isBetweenFrames(): boolean {
    return this.#restLength === 0 && !this.#afterCr
  }

  #takePiece(piece: Buffer): void {
    if (piece.length === 0) return
    let lines = this.#normalized(piece)
    if (this.#restLength > 0) {
      const end = this.#endOfRest(lines)
      this.#add(lines.subarray(0, end))
      if (end === undefined) return
      this.#handOver()
      lines = lines.subarray(end)
    }
    const whole = lines.lastIndexOf(EMPTY_LINE) + EMPTY_LINE.length
    if (whole >= EMPTY_LINE.length) {
      if (whole > this.#maxEvent) this.#checkEach(lines.subarray(0, whole))
      this.#sink.take(lines, [0, whole])
      lines = lines.subarray(whole)
    }
    if (lines.length > 0) this.#add(lines)
    else if (this.#rest.length > MOST_KEPT) this.#dropRest()
  }

  /** Where in these lines the frame begun earlier ends; undefined if it does not. */
  #endOfRest(lines: Buffer): number | undefined {
    if (lines[0] === LF && this.#rest[this.#restLength - 1] === LF) return 1
    const at = lines.indexOf(EMPTY_LINE)
    return at === -1 ? undefined : at + EMPTY_LINE.length
  }

  #add(piece: Buffer): void {
    const length = this.#restLength + piece.length
    if (length > this.#rest.length) {
      const larger = room(Math.max(length, 2 * this.#rest.length))
      this.#rest.copy(larger, 0, 0, this.#restLength)
      this.#rest = larger
    }
    piece.copy(this.#rest, this.#restLength)
    this.#restLength = length
    this.#check(length)
  }

  #checkEach(frames: Buffer): void {
    for (let at = 0; at < frames.length; ) {
      const next = frameEnd(frames, at) + EMPTY_LINE.length
      this.#check(next - at)
      at = next
    }
  }

  #check(length: number): void {
    if (length <= this.#maxEvent) return
    throw new ProxyError(
      'upstream_invalid',
      `Upstream sent an event of more than ${this.#maxEvent} bytes (--max-event).`,
    )
  }

  #handOver(): void {
    const length = this.#restLength
    this.#restLength = 0
    this.#sink.take(this.#rest.subarray(0, length), [0, length])
  }

  #dropRest(): void {
    if (this.#rest.length <= MOST_SPARED) longFrames.release(this.#rest)
    this.#rest = NOTHING
  }

  #normalized(piece: Buffer): Buffer {
    const bytes = this.#afterCr && piece[0] === LF ? piece.subarray(1) : piece
    this.#afterCr = piece[piece.length - 1] === CR
    return bytes.includes(CR) ? withLineFeeds(bytes) : bytes
  }
}

const NOTHING = Buffer.alloc(0)
/** The most memory for frames in pieces that a stream keeps between frames, in bytes. */
const MOST_KEPT = 4096
/** Memory for the events that repeat the whole answer at its end. */
const longFrames = new BufferPool(4)
const MOST_SPARED = 1024 * 1024
const LF = 10
const CR = 13
const EMPTY_LINE = Buffer.from('\n\n')
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

function room(bytes: number): Buffer {
  return bytes > MOST_KEPT ? longFrames.take(bytes) : Buffer.allocUnsafeSlow(bytes)
}

function startsWithMark(memory: Buffer, from: number): boolean {
  return memory.subarray(from, from + BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
}

/** Up to where each of the `ranges` from `at` on ends with a complete frame, and is no longer than one may be. */
function endOfWhole(memory: Buffer, ranges: readonly number[], at: number, maxEvent: number): number {
  let end = at
  while (end < ranges.length && isWhole(memory, ranges[end] ?? 0, ranges[end + 1] ?? 0, maxEvent)) end += 2
  return end
}

function isWhole(memory: Buffer, from: number, to: number, maxEvent: number): boolean {
  const length = to - from
  return memory[to - 1] === LF && memory[to - 2] === LF && length > 2 && length <= maxEvent
}
