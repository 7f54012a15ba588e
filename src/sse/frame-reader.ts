import { ProxyError } from '../errors.ts'

export type FrameSink = {
  /** Takes whole frames: `text` from `from` to `to` holds one or more, each ended by an empty line (`\n\n`). */
  take(text: string, from: number, to: number): void
}

/**
 * Splits an event stream into frames (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 * Works on latin1 text, so a cut within a UTF-8 sequence does no harm. Lines ended by CR or CRLF are brought to LF.
 */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #maxEvent: number
  /** The beginning of a frame whose end has not come; in pieces, since joining at each read would be quadratic. */
  #rest: string[] = []
  #restLength = 0
  /** The last character was a CR: a LF that follows belongs to the same line end. */
  #afterCr = false
  #first = true

  constructor(sink: FrameSink, maxEvent: number) {
    this.#sink = sink
    this.#maxEvent = maxEvent
  }

  /** The ranges of `text` (start, end, start, end, …) that belong to the stream. */
  take(text: string, ranges: readonly number[]): void {
    for (let i = 0; i + 1 < ranges.length; i += 2) {
      const start = ranges[i] ?? 0
      const from = this.#first ? this.#afterMark(text, start) : start
      const to = ranges[i + 1] ?? 0
      const whole = text.charCodeAt(to - 1) === LF && text.charCodeAt(to - 2) === LF && to - from > 2
      if (whole && this.#restLength === 0 && !this.#afterCr) this.#sink.take(text, from, to)
      else if (to > from) this.#takePiece(text.slice(from, to))
    }
  }

  /** The stream ended: a last frame without an empty line behind it still counts, as servers forget that line. */
  end(): void {
    if (this.#restLength === 0) return
    const frame = `${this.#joined()}\n\n`
    this.#sink.take(frame, 0, frame.length)
  }

  #takePiece(piece: string): void {
    const lines = this.#normalized(piece)
    if (lines === '') return
    // An empty line may straddle the pieces: look at it joined only when this piece can end a frame.
    const endsFrame = lines.includes('\n\n') || (lines.charCodeAt(0) === LF && this.#restEndsWithLf())
    this.#rest.push(lines)
    this.#restLength += lines.length
    if (!endsFrame) {
      this.#checkSize()
      return
    }

    const joined = this.#joined()
    const end = joined.lastIndexOf('\n\n') + 2
    if (end < joined.length) {
      this.#rest.push(joined.slice(end))
      this.#restLength = joined.length - end
    }
    this.#sink.take(joined, 0, end)
    this.#checkSize()
  }

  /** The first piece of all may begin with a byte order mark. */
  #afterMark(text: string, from: number): number {
    this.#first = false
    return text.startsWith(BYTE_ORDER_MARK, from) ? from + BYTE_ORDER_MARK.length : from
  }

  #normalized(piece: string): string {
    const text = this.#afterCr && piece.charCodeAt(0) === LF ? piece.slice(1) : piece
    this.#afterCr = piece.charCodeAt(piece.length - 1) === CR
    return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
  }

  #restEndsWithLf(): boolean {
    const last = this.#rest.at(-1)
    return last !== undefined && last.charCodeAt(last.length - 1) === LF
  }

  #joined(): string {
    const joined = this.#rest.join('')
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
/** U+FEFF in UTF-8, read as latin1. */
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf'
