/** Pieces of a body as one read of a socket brings them: HTTP chunk framing stands between them. */
export function inOneRead(pieces: readonly (Buffer | string)[]): { memory: Buffer; ranges: number[] } {
  const parts: Buffer[] = []
  const ranges: number[] = []
  let at = 0
  for (const piece of pieces.map((each) => Buffer.from(each))) {
    const framing = Buffer.from(at === 0 ? '' : `\r\n${piece.length.toString(16)}\r\n`)
    at += framing.length
    ranges.push(at, at + piece.length)
    at += piece.length
    parts.push(framing, piece)
  }
  return { memory: Buffer.concat(parts), ranges }
}

/** The ranges of `memory` (start, end, start, end, …). */
export function piecesOf(memory: Buffer, ranges: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let i = 0; i < ranges.length; i += 2) pieces.push(memory.subarray(ranges[i], ranges[i + 1]))
  return pieces
}

/** Cut at these positions, each within the whole. */
export function cutAt(whole: Buffer, positions: readonly number[]): Buffer[] {
  const ends = [...new Set([...positions, whole.length])].sort((a, b) => a - b)
  return ends.map((end, i) => whole.subarray(ends[i - 1] ?? 0, end))
}

/** Some of its lines ended with CRLF instead of LF: those whose number has a true here, again and again. */
export function withMixedEnds(text: string, isCrLf: readonly boolean[]): Buffer {
  let line = 0
  return Buffer.from(text.replaceAll('\n', () => (isCrLf[line++ % isCrLf.length] === true ? '\r\n' : '\n')))
}

/** For `withCrEvents`. Each ends some event of every recorded stream with CR, and the one behind it with LF. */
export const CR_EVENTS = [
  [true, false],
  [false, true],
  [true, true, false],
]

/** Some of its events with lines that end with CR instead of LF: those whose number has a true here, again and again. */
export function withCrEvents(text: string, isCr: readonly boolean[]): Buffer {
  const events = text.split(/(?<=\n\n)/)
  const ended = events.map((event, i) => (isCr[i % isCr.length] === true ? event.replaceAll('\n', '\r') : event))
  return Buffer.from(ended.join(''))
}
