import { type FileHandle, open, stat } from 'node:fs/promises'
import { folderInPlaceOf } from '../../../daemon/private-file.ts'
import { isCode } from '../../../system/error-code.ts'

/** A log is read in pieces of this size: it may be larger than the memory. */
const PIECE = 64 * 1024
const NEWLINE = 10

/** Bytes of a file, from one place up to another. */
type Range = { readonly from: number; readonly to: number }

/** Whether lines can be read again: a pipe or a device keeps none, and opening a pipe would wait for the next one. */
export async function keepsLines(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined || found.isFile() || found.isDirectory()
}

/** The last lines of a file, without newlines; none when there is no file. Bytes before `from` are not looked at. */
export async function lastLines(path: string, count: number, from = 0): Promise<string[]> {
  const file = (await keepsLines(path)) ? await openExisting(path) : undefined
  if (file === undefined) return []
  try {
    const lines: string[] = []
    const last = await findLast(file, count, { from, to: (await file.stat()).size })
    await showLines(file, last, (line) => lines.push(line))
    return lines
  } finally {
    await file.close()
  }
}

export type LastLines = Range & { readonly count: number }

/** Where the last lines within a part of an open file are. */
export async function findLast(file: FileHandle, wanted: number, { from, to }: Range): Promise<LastLines> {
  if (wanted === 0 || from >= to) return { from: to, to, count: 0 }
  let count = 0
  for (let end = to; end > from; end -= PIECE) {
    const start = Math.max(from, end - PIECE)
    const piece = await readAt(file, start, end)
    for (let at = piece.lastIndexOf(NEWLINE); at !== -1; at = at === 0 ? -1 : piece.lastIndexOf(NEWLINE, at - 1)) {
      const next = start + at + 1
      // The last line ends with one too.
      if (next === to) continue
      count++
      if (count === wanted) return { from: next, to, count }
    }
  }
  return { from, to, count: count + 1 }
}

/** Shows the lines in a part of an open file, the last one also if it is not finished. */
export async function showLines(
  file: FileHandle,
  range: Range,
  show: (line: string) => void,
  isDone?: () => boolean,
): Promise<void> {
  const splitter = lineSplitter(show)
  await readPieces(file, range, splitter.push, isDone)
  splitter.end()
}

/** Returns where it stopped: at the end of the range, or of a file that has become shorter. */
export async function readPieces(
  file: FileHandle,
  { from, to }: Range,
  take: (bytes: Buffer) => void,
  isDone = () => false,
): Promise<number> {
  let position = from
  while (position < to && !isDone()) {
    const bytes = await readAt(file, position, Math.min(to, position + PIECE))
    if (bytes.length === 0) break
    position += bytes.length
    take(bytes)
  }
  return position
}

async function readAt(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from)
  return buffer.subarray(0, bytesRead)
}

type LineSplitter = {
  push(bytes: Buffer): void
  /** Shows the unfinished last line. */
  end(): void
  /** Forgets it. */
  reset(): void
}

/** Makes lines, without their ends, of bytes that come in pieces. */
export function lineSplitter(show: (line: string) => void): LineSplitter {
  let held: Buffer[] = []
  function flush(next: readonly Buffer[]): void {
    for (const line of linesIn(Buffer.concat(held).toString('utf8'))) show(line)
    held = [...next]
  }
  return {
    push(bytes) {
      const end = bytes.lastIndexOf(NEWLINE) + 1
      held.push(bytes.subarray(0, end === 0 ? bytes.length : end))
      if (end > 0) flush(end < bytes.length ? [bytes.subarray(end)] : [])
    },
    end: () => flush([]),
    reset() {
      held = []
    },
  }
}

/** Without their ends, which on Windows are two characters where Node itself wrote, as in a crash. */
function linesIn(text: string): string[] {
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
