import { type FileHandle, open } from 'node:fs/promises'
import { folderInPlaceOf } from '../../../daemon/private-file.ts'
import { isCode } from '../../../system/error-code.ts'

/** A log is read from its end in pieces of this size. */
const PIECE = 64 * 1024

/** The last lines of a file, without newlines; none when there is no file. Bytes before `from` are not looked at. */
export async function lastLines(path: string, count: number, from = 0): Promise<string[]> {
  const file = await openExisting(path)
  if (file === undefined) return []
  try {
    return await lastLinesOf(file, count, { from, to: (await file.stat()).size })
  } finally {
    await file.close()
  }
}

/** The same for the bytes of an open file between `from` and `to`. */
export async function lastLinesOf(
  file: FileHandle,
  count: number,
  { from, to }: { from: number; to: number },
): Promise<string[]> {
  let start = to
  let newlines = 0
  const pieces: Buffer[] = []
  // One newline more than lines: the last line ends with one too.
  while (start > from && newlines <= count) {
    const length = Math.min(PIECE, start - from)
    start -= length
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start)
    const piece = buffer.subarray(0, bytesRead)
    newlines += countNewlines(piece)
    pieces.unshift(piece)
  }
  return count === 0 ? [] : linesIn(Buffer.concat(pieces).toString('utf8')).slice(-count)
}

/** Without their ends, which on Windows are two characters where Node itself wrote, as in a crash. */
export function linesIn(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** A file to read, or nothing when there is none. */
export async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    const file = await open(path, 'r')
    if (!(await file.stat()).isDirectory()) return file
    await file.close()
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
  // Opening a folder succeeds; reading it would fail with an error that does not name it.
  throw folderInPlaceOf(path)
}

function countNewlines(bytes: Buffer): number {
  let found = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) found++
  return found
}
