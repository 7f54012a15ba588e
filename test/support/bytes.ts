/** Pieces of a body, latin1 text, as one read of a socket brings them: HTTP chunk framing stands between them. */
export function inOneRead(pieces: readonly string[]): { memory: Buffer; ranges: number[] } {
  let text = ''
  const ranges: number[] = []
  for (const piece of pieces) {
    text += text === '' ? '' : `\r\n${piece.length.toString(16)}\r\n`
    ranges.push(text.length, text.length + piece.length)
    text += piece
  }
  return { memory: Buffer.from(text, 'latin1'), ranges }
}

/** The ranges of `memory` (start, end, start, end, …), each as latin1 text. */
export function piecesOf(memory: Buffer, ranges: readonly number[]): string[] {
  const pieces: string[] = []
  for (let i = 0; i < ranges.length; i += 2) pieces.push(memory.toString('latin1', ranges[i], ranges[i + 1]))
  return pieces
}
