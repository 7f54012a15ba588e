import { closeSync, fchmodSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

export type LogFile = {
  /** One or more whole lines, each with its newline; written before it returns. Never throws. */
  write(line: string): void
  close(): void
}

/** Writes some of the bytes from `offset` on and tells how many. */
type Write = (file: number, bytes: Buffer, offset: number) => number

/**
 * The daemon's log: readable by its owner alone, and renamed to `<path>.1` (which replaces an older one) before it
 * grows beyond `maxSize` bytes. When the disk is full lines are dropped and counted, and the count is logged as soon
 * as something can be written again. Throws when the file can't be opened.
 */
export function openLogFile(path: string, maxSize: number, write: Write = writeSync): LogFile {
  let file: number | undefined = openForAppend(path)
  let size = fstatSync(file).size
  let dropped = 0

  const rotate = (full: number) => {
    if (!moveAway(path)) return
    try {
      file = openForAppend(path)
      closeSync(full)
      size = 0
    } catch {
      // No file descriptor left: what comes would go to the older file for ever. The next line tries again.
      moveBack(path)
    }
  }

  return {
    write(line) {
      if (file === undefined) return
      const bytes = Buffer.from(dropped > 0 ? droppedLine(dropped) + line : line)
      if (size > 0 && size + bytes.length > maxSize) rotate(file)
      const written = writeAll(write, file, bytes)
      size += written
      dropped = written === bytes.length ? 0 : dropped + line.split('\n').length - 1
    },
    close() {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}

/** True when a new file can take the name. */
function moveAway(path: string): boolean {
  try {
    renameSync(path, `${path}.1`)
    return true
  } catch (error) {
    // Removed by someone: then a new one begins. Else better a log that is too long than none.
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
  }
}

function moveBack(path: string): void {
  try {
    renameSync(`${path}.1`, path)
  } catch {
    // It is written on under the older name until it can be rotated.
  }
}

function openForAppend(path: string): number {
  const file = openSync(path, 'a', 0o600)
  try {
    // One that was there before keeps its own mode otherwise.
    fchmodSync(file, 0o600)
  } catch {
    // Not ours to change.
  }
  return file
}

/** Returns how many bytes were written. */
function writeAll(write: Write, file: number, bytes: Buffer): number {
  let written = 0
  try {
    while (written < bytes.length) written += write(file, bytes, written)
  } catch {
    // Full or gone: the caller counts what is missing.
  }
  return written
}

/** Begins on a line of its own: the one before may have been cut. */
function droppedLine(count: number): string {
  return `\n${JSON.stringify({ level: 'warn', dropped: count, msg: 'log lines were lost: the log could not be written' })}\n`
}
