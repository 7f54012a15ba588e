import { ProxyError } from '../errors.ts'

export type FrameSink = {
  /**
   * Takes whole frames: each of the `ranges` of `memory` (start, end, start, end, …) holds one or more, each ended by an
   * empty line (`\n\n`).
   */
  take(memory: Buffer, ranges: readonly number[]): void
}

/**
 * Where the frame that begins at `at` ends: two bytes before the next. An empty line more than there need be is a frame of
 * nothing, which ends before it begins; -1 when there is no end.
 */
export function frameEnd(memory: Buffer, at: number): number {
  if (memory[at] === LF) return at - 1
  let end = memory.indexOf(LF, at)
  while (end !== -1 && memory[end + 1] !== LF) end = memory.indexOf(LF, end + 1)
  return end
}

/**
 * Splits an event stream into frames (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 * Works on bytes: no byte of a UTF-8 sequence looks like a line end. Lines ended by CR or CRLF are brought to LF.
 */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #maxEvent: number
  /** The beginning of a frame whose end has not come; in pieces, since joining at each read would be quadratic. */
  #rest: Buffer[] = []
  #restLength = 0
  /** The last byte was a CR: a LF that follows belongs to the same line end. */
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
      const end = this.#isBetweenFrames() ? endOfWhole(memory, ranges, at) : at
      if (end > at) this.#sink.take(memory, at === 0 && end === ranges.length ? ranges : ranges.slice(at, end))
      if (end < ranges.length) this.#takePiece(memory.subarray(ranges[end], ranges[end + 1]))
      at = end + 2
    }
  }

  /** The stream ended: a last frame without an empty line behind it still counts, as servers forget that line. */
  end(): void {
    if (this.#restLength === 0) return
    this.#rest.push(EMPTY_LINE)
    const frame = this.#joined()
    this.#sink.take(frame, [0, frame.length])
  }

  #isBetweenFrames(): boolean {
    return this.#restLength === 0 && !this.#afterCr
  }

  #takePiece(piece: Buffer): void {
    if (piece.length === 0) return
    const lines = this.#normalized(piece)
    if (lines.length === 0) return
    // An empty line may straddle the pieces: look at it joined only when this piece can end a frame.
    const endsFrame = lines.includes(EMPTY_LINE) || (lines[0] === LF && this.#restEndsWithLf())
    this.#rest.push(lines)
    this.#restLength += lines.length
    if (!endsFrame) {
      this.#checkSize()
      return
    }

    const joined = this.#joined()
    const end = joined.lastIndexOf(EMPTY_LINE) + EMPTY_LINE.length
    if (end < joined.length) {
      this.#rest.push(joined.subarray(end))
      this.#restLength = joined.length - end
    }
    this.#sink.take(joined, [0, end])
    this.#checkSize()
  }

  #normalized(piece: Buffer): Buffer {
    const bytes = this.#afterCr && piece[0] === LF ? piece.subarray(1) : piece
    this.#afterCr = piece[piece.length - 1] === CR
    if (!bytes.includes(CR)) return bytes
    return Buffer.from(bytes.toString('latin1').replace(/\r\n?/g, '\n'), 'latin1')
  }

  #restEndsWithLf(): boolean {
    return this.#rest.at(-1)?.at(-1) === LF
  }

  #joined(): Buffer {
    const [only] = this.#rest
    const joined = this.#rest.length === 1 && only !== undefined ? only : Buffer.concat(this.#rest)
    this.#rest = []
    this.#restLength = 0
    return joined
  }

  #checkSize(): void {
    if (this.#restLength <= this.#maxEvent) return
    throw new ProxyError('upstream_invalid', `Upstream sent an event of more than ${this.#maxEvent} bytes.`)
  }
}

const LF = 10
const CR = 13
const EMPTY_LINE = Buffer.from('\n\n')
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

function startsWithMark(memory: Buffer, from: number): boolean {
  return memory.subarray(from, from + BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
}

/** How far the `ranges` from `at` on end with a frame each. */
function endOfWhole(memory: Buffer, ranges: readonly number[], at: number): number {
  let end = at
  while (end < ranges.length && isWhole(memory, ranges[end] ?? 0, ranges[end + 1] ?? 0)) end += 2
  return end
}

/** Whether these bytes end with a frame. */
function isWhole(memory: Buffer, from: number, to: number): boolean {
  return memory[to - 1] === LF && memory[to - 2] === LF && to - from > 2
}
