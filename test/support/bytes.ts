/** The ranges of `memory` (start, end, start, end, …), each as latin1 text. */
export function piecesOf(memory: Buffer, ranges: readonly number[]): string[] {
  const pieces: string[] = []
  for (let i = 0; i < ranges.length; i += 2) pieces.push(memory.toString('latin1', ranges[i], ranges[i + 1]))
  return pieces
}
