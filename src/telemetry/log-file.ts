import { randomUUID } from 'node:crypto'
import { fchmodSync, fstatSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { closeQuietly } from '../system/close-quietly.ts'
import { droppedLine, lineCount } from './dropped-lines.ts'

export type LogFile = {
  /** One or more whole lines, each with its newline; written before it returns. Never throws. */
  write(line: string): void
  close(): void
}

/** Writes some of the bytes from `offset` on and returns how many. */
type Write = (file: number, bytes: Buffer, offset: number) => number

/**
 * The daemon's log: readable only by its owner, and renamed (replacing an older one) before it grows beyond `maxSize`
 * bytes. If someone else, such as logrotate, moves or deletes it, a new one is started. When the disk is full, lines
 * are dropped and counted, and the count is logged as soon as writing works again. Throws if the file can't be opened.
 */
export function openLogFile(path: string, maxSize: number, write: Write = writeSync): LogFile {
  let file: number | undefined = openForAppend(path)
  let opened = fstatSync(file)
  let dropped = 0

  const reopen = (former: number) => {
    const next = openForAppend(path)
    closeQuietly(former)
    file = next
    opened = fstatSync(next)
  }

  const rotate = (full: number) => {
    const log = behindLinks(path)
    if (!moveAway(log)) return
    try {
      reopen(full)
    } catch {
      // No file descriptors left: otherwise lines would go to the older file for ever. The next line tries again.
      moveBack(log)
    }
  }

  /** The size of the log; first makes sure that the open file is still the one with this name. */
  const sizeNow = (current: number): number => {
    try {
      const found = statSync(path, { throwIfNoEntry: false })
      if (found !== undefined && found.ino === opened.ino && found.dev === opened.dev) return found.size
      reopen(current)
      return opened.size
    } catch {
      // No folder or no file descriptor: the open file is used on. The next line tries again.
      return 0
    }
  }

  return {
    write(line) {
      if (file === undefined) return
      // On a line of its own: the one before may have been cut.
      const bytes = Buffer.from(dropped > 0 ? `\n${droppedLine(dropped)}${line}` : line)
      const size = sizeNow(file)
      if (size > 0 && size + bytes.length > maxSize) rotate(file)
      dropped = writeAll(write, file, bytes) === bytes.length ? 0 : dropped + lineCount(line)
    },
    close() {
      if (file !== undefined) closeQuietly(file)
      file = undefined
    },
  }
}

/** The file that holds the lines from before the last rotation; of a log behind a link, it is beside the log. */
export function olderLogOf(path: string): string {
  return `${behindLinks(path)}.1`
}

/** A link stays: who made it wants the log, and the older one, on another disk. */
function behindLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // There is none yet, or it leads to a pipe.
  }
}

/** True when a new file can take the name. */
function moveAway(path: string): boolean {
  try {
    const older = olderLogOf(path)
    if (process.platform === 'win32') makeWay(older)
    renameSync(path, older)
    return true
  } catch {
    // Better a log that is too long than none.
    return false
  }
}

/**
 * Windows can't replace an open file, and the first log stays open to the end, since Node writes there when it crashes.
 * But such a file can be renamed, and then removed when it is closed.
 */
function makeWay(older: string): void {
  const away = `${older}.${randomUUID()}`
  try {
    renameSync(older, away)
    rmSync(away)
  } catch {
    // None there yet.
  }
}

function moveBack(path: string): void {
  try {
    renameSync(olderLogOf(path), path)
  } catch {
    // Lines go on into the file with the older name until rotation succeeds.
  }
}

function openForAppend(path: string): number {
  const file = openSync(path, 'a', 0o600)
  try {
    // A file that was there before has its own mode. Only a file's is changed: `/dev/null` is meant for everybody.
    if (fstatSync(file).isFile()) fchmodSync(file, 0o600)
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
