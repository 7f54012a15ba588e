import { isOneOf } from '../system/error-code.ts'
import type { Files } from './auth-file.ts'

/** Readable by the owner alone, whatever it was before, like Codex writes it. */
export const MODE = 0o600
/**
 * The first byte of a file while it is written in place. JSON never begins like that, so nobody takes a part for the
 * whole.
 */
const UNFINISHED = '#'
/** Error codes if a file system or a sandbox doesn't allow changing the mode of a file. */
const NO_MODES = ['EPERM', 'EINVAL', 'ENOTSUP', 'ENOSYS']

/** Writes in place, which keeps the file's owner and a mount on it. When that fails, the old content is put back. */
export function overwrite(target: string, bytes: Buffer, files: Files): void {
  const before = files.readFileSync(target)
  const file = files.openSync(target, 'r+')
  try {
    limitMode(file, files)
    try {
      fill(file, bytes, files)
    } catch (error) {
      fill(file, before, files)
      throw error
    }
    files.fsyncSync(file)
  } finally {
    files.closeSync(file)
  }
}

/** The first byte is written last: if this is cut off, the file is not JSON, rather than a mixture of two logins. */
function fill(file: number, bytes: Buffer, files: Files): void {
  files.writeSync(file, Buffer.from(UNFINISHED), 0, 1, 0)
  for (let at = 1; at < bytes.length; ) at += files.writeSync(file, bytes, at, bytes.length - at, at)
  files.ftruncateSync(file, bytes.length)
  files.writeSync(file, bytes, 0, 1, 0)
}

/** Whether somebody is writing the file in place, or was killed while doing so. */
export function isUnfinished(text: string): boolean {
  return text.startsWith(UNFINISHED)
}

export function limitMode(file: number, files: Files): void {
  try {
    files.fchmodSync(file, MODE)
  } catch (error) {
    if (!isOneOf(error, NO_MODES)) throw error
  }
}
