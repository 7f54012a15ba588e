import { constants } from 'node:fs'
import { dirname } from 'node:path'
import { ProxyError } from '../errors.ts'
import { type JsonObject, objectOf } from '../json-object.ts'
import { codeInBrackets, isOneOf } from '../system/error-code.ts'
import { readText } from '../system/text-file.ts'
import type { Files } from './auth-file.ts'
import { allLeftoverPaths, freeName, leftoverPaths, leftovers, trialPath } from './leftovers.ts'
import type { NewTokens } from './refresh.ts'
import { isUnfinished, limitMode, MODE, overwrite } from './write-in-place.ts'

/** Error codes of a folder where no file can be created, or where this file can't be replaced. */
const REFUSED = ['EACCES', 'EPERM', 'EROFS']
/** Error codes of `rename` if the file itself is a mount, as after `docker run -v …/auth.json:…/auth.json`. */
const MOUNTED = ['EBUSY', 'EXDEV']
const NOT_REPLACED = [...MOUNTED, ...REFUSED]

/** The content of auth.json with new tokens; everything else, and the order of keys, stays. */
export function withTokens(content: JsonObject, tokens: NewTokens, refreshedAt: number): JsonObject {
  return {
    ...content,
    tokens: { ...objectOf(content.tokens), ...tokens },
    last_refresh: new Date(refreshedAt).toISOString(),
  }
}

type Replacement = {
  readonly json: string
  /** The refresh token that was spent to get `json`, and that the file still holds. */
  readonly spentToken: string
  /** Called at the last moment: false leaves the file as it is, and what was written beside it where it is. */
  readonly mayReplace: () => boolean
}

/**
 * Replaces auth.json atomically: readers see either the old content or the new, whenever this process is killed. A
 * symbolic link stays and its target is replaced. A file that can't be replaced is written in place; if the process is
 * killed meanwhile, `mendAuthFile` completes the file. Throws what the file system throws; then the old content is
 * intact.
 */
export function replaceAuthFile(path: string, files: Files, { json, spentToken, mayReplace }: Replacement): boolean {
  const target = files.realpathSync(path)
  const bytes = Buffer.from(json)
  const temporary = freeName(target, files, spentToken)
  let replaceable: boolean
  try {
    replaceable = writeBeside(temporary, target, bytes, files)
  } catch (error) {
    remove(temporary, files)
    throw error
  }
  // From here on the temporary file stays whatever fails: if this process ends before it has succeeded, the next one
  // finds the tokens in it.
  if (!mayReplace()) return false
  if (!replaceable || !rename(temporary, target, files)) overwrite(target, bytes, files)
  tidyUp(target, files)
  return true
}

/** Removes what was written beside the file for a login that is no longer in it. */
export function removeWritten(target: string, files: Files, spentToken: string): void {
  for (const leftover of leftoverPaths(target, spentToken)) remove(leftover, files)
}

/**
 * Whether `replaceAuthFile` is likely to succeed. Checked before a refresh token is spent, which would be wrong if its
 * successor could not be saved.
 */
export function isWritable(path: string, files: Files): boolean {
  try {
    const target = files.realpathSync(path)
    try {
      files.closeSync(files.openSync(target, 'r+'))
      return true
    } catch (error) {
      // The mount is read-only: either the folder is too, or the file is itself a mount, which nothing can be renamed
      // to. Or the file is immutable, and can't be replaced either.
      if (isOneOf(error, ['EROFS', 'EPERM'])) return false
      if (!isOneOf(error, REFUSED)) return true
    }
    const folder = dirname(target)
    const isReplaceable = takesFiles(folder, files) && files.statSync(target).dev === files.statSync(folder).dev
    return isReplaceable && isOursToReplace(target, files)
  } catch {
    return true // It is gone, or can't be reached: reading says so.
  }
}

/**
 * Why there is no room for a login beside the file: the disk or the user's quota may be full. Asked right before a refresh
 * token is spent.
 */
export function roomProblem(path: string, files: Files): ProxyError | undefined {
  try {
    tryRoom(path, files)
    return undefined
  } catch (error) {
    const message = `New tokens can't be written beside ${path}${codeInBrackets(error)}, so the login was not refreshed.`
    return new ProxyError('credentials_unwritable', message, { cause: error })
  }
}

function tryRoom(path: string, files: Files): void {
  const target = files.realpathSync(path)
  const trial = trialPath(target)
  // Tokens may get longer.
  const bytes = Buffer.alloc(2 * files.statSync(target).size)
  try {
    writeBeside(trial, target, bytes, files)
  } finally {
    remove(trial, files)
  }
}

/**
 * Completes a file that a process was writing in place when it was killed, from the copy that it had first put beside
 * the file; if no copy could be made, the process itself completes it from `written`. Only for files that nobody has
 * written to for a while; then it does no harm if two processes do it at once.
 */
export function mendAuthFile(path: string, files: Files, written?: string): boolean {
  try {
    const target = files.realpathSync(path)
    if (!isUnfinished(readText(target, files))) return false
    const [leftover] = leftovers(allLeftoverPaths(target, files), files)
    const text = leftover?.text ?? written
    if (text === undefined) return false
    overwrite(target, Buffer.from(text), files)
    tidyUp(target, files)
    return true
  } catch {
    return false // It is as malformed as before, and the next who reads it tries again.
  }
}

/** False if the written file must not replace the other one: it could not be created, or belongs to someone else. */
function writeBeside(path: string, target: string, bytes: Buffer, files: Files): boolean {
  const file = create(path, files)
  if (file === undefined) return false
  try {
    limitMode(file, files)
    const owned = keepOwner(file, target, files)
    // When a disk fills up, one call writes a part and the next one fails.
    for (let at = 0; at < bytes.length; ) at += files.writeSync(file, bytes, at)
    files.fsyncSync(file)
    return owned
  } finally {
    files.closeSync(file)
  }
}

/** `undefined` if no file can be created in the folder. */
function create(path: string, files: Files): number | undefined {
  try {
    files.rmSync(path, { force: true })
    return files.openSync(path, 'wx', MODE)
  } catch (error) {
    if (isOneOf(error, REFUSED)) return undefined
    throw error
  }
}

/**
 * The file must keep belonging to the user of Codex: a proxy that runs as root (mostly in a container) gives the new
 * one to that user. False if that fails: only root may give files away, and not always.
 */
function keepOwner(file: number, target: string, files: Files): boolean {
  if (isOursToReplace(target, files)) return true
  if (process.geteuid?.() !== 0) return false
  const { uid, gid } = files.statSync(target)
  try {
    files.fchownSync(file, uid, gid)
    return true
  } catch {
    return false
  }
}

/**
 * Whether our file may replace this one without taking it from anybody: it is ours or root's, or in a folder of ours.
 */
function isOursToReplace(target: string, files: Files): boolean {
  const user = process.geteuid?.()
  const { uid } = files.statSync(target)
  if (user === undefined || uid === user || uid === 0) return true
  // A folder that belongs to root proves nothing: in a container most do.
  return user !== 0 && files.statSync(dirname(target)).uid === user
}

/** False when the file can only be written in place. */
function rename(temporary: string, target: string, files: Files): boolean {
  try {
    files.renameSync(temporary, target)
    return true
  } catch (error) {
    // On Windows these codes mean that someone has the file open just now; the next try will succeed.
    if (process.platform !== 'win32' && isOneOf(error, NOT_REPLACED)) return false
    throw error
  }
}

function takesFiles(folder: string, files: Files): boolean {
  try {
    files.accessSync(folder, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The login has been written, so no failure here is reported. */
function tidyUp(target: string, files: Files): void {
  syncFolder(dirname(target), files)
  try {
    // Files of killed processes, for refresh tokens that are out of date. They hold tokens, so they must not be left.
    for (const path of allLeftoverPaths(target, files)) remove(path, files)
  } catch {
    // The next write tries again.
  }
}

function remove(path: string, files: Files): void {
  try {
    files.rmSync(path, { force: true })
  } catch {
    // Tidying up is no reason to fail.
  }
}

/** Makes the new name survive a power failure; some systems and file systems can't do that, and needn't. */
function syncFolder(folder: string, files: Files): void {
  try {
    const handle = files.openSync(folder, 'r')
    try {
      files.fsyncSync(handle)
    } finally {
      files.closeSync(handle)
    }
  } catch {
    // The file itself is in place.
  }
}
