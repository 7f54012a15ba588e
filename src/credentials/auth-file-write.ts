import { constants } from 'node:fs'
import { dirname } from 'node:path'
import { isOneOf } from '../error-code.ts'
import { type JsonObject, objectOf } from '../json-object.ts'
import type { Files } from './auth-file.ts'
import { allLeftoverPaths, freeName, leftovers, trialPath } from './leftovers.ts'
import type { NewTokens } from './refresh.ts'
import { isUnfinished, limitMode, MODE, overwrite } from './write-in-place.ts'

/** What a folder answers that takes no new file, or doesn't let this one be replaced. */
const REFUSED = ['EACCES', 'EPERM', 'EROFS']
/** What `rename` answers where the file itself is mounted, as by `docker run -v …/auth.json:…/auth.json`. */
const MOUNTED = ['EBUSY', 'EXDEV']

/** The content of auth.json with the tokens of an answer: everything else, and the order of keys, stays. */
export function withTokens(content: JsonObject, tokens: NewTokens, refreshedAt: number): JsonObject {
  return {
    ...content,
    tokens: { ...objectOf(content.tokens), ...tokens },
    last_refresh: new Date(refreshedAt).toISOString(),
  }
}

type Replacement = {
  readonly content: JsonObject
  /** The refresh token that `content` was obtained with, which the file still holds. */
  readonly spentToken: string
  /** Asked at the last moment: false leaves the file as it is. */
  readonly mayReplace: () => boolean
}

/**
 * Replaces auth.json at once: whoever reads it, or whenever this process is killed, finds the old content or the new.
 * A symbolic link stays and its target is replaced. Where the file can't be replaced it is written in place; killed in
 * the midst of that, `mendAuthFile` completes it. Throws what the file system throws; the old content is intact then.
 */
export function replaceAuthFile(path: string, files: Files, { content, spentToken, mayReplace }: Replacement): boolean {
  const target = files.realpathSync(path)
  const bytes = Buffer.from(JSON.stringify(content, null, 2))
  const temporary = freeName(target, files, spentToken)
  let replaced: boolean
  try {
    const replaceable = writeBeside(temporary, target, bytes, files)
    if (!mayReplace()) {
      remove(temporary, files)
      return false
    }
    replaced = replaceable && rename(temporary, target, files)
  } catch (error) {
    remove(temporary, files)
    throw error
  }
  // Should this fail, the temporary file stays: whoever comes next finds the tokens in it.
  if (!replaced) overwrite(target, bytes, files)
  tidyUp(dirname(target), files)
  return true
}

/**
 * Whether `replaceAuthFile` can be expected to succeed. Asked before a refresh token is spent: one whose successor
 * can't be kept had better not be.
 */
export function isWritable(path: string, files: Files): boolean {
  try {
    const target = files.realpathSync(path)
    try {
      files.closeSync(files.openSync(target, 'r+'))
      return true
    } catch (error) {
      // Its mount is read-only: the folder's too, or the file is a mount of its own, which nothing can be renamed to. Or
      // the file is immutable, against being replaced as well.
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
 * Tries whether a login finds room beside the file: its disk, or somebody's share of it, may be full. As late as can be
 * before a refresh token is spent. Throws what the file system throws.
 */
export function tryRoom(path: string, files: Files): void {
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
 * Completes a file that a killed process was just writing in place, by the copy that it had put beside it first. For
 * files that nobody has been writing to for a while: then it does no harm if two do it at once.
 */
export function mendAuthFile(path: string, files: Files): boolean {
  try {
    const target = files.realpathSync(path)
    if (!isUnfinished(files.readFileSync(target, 'utf8'))) return false
    const [leftover] = leftovers(allLeftoverPaths(dirname(target), files), files)
    if (leftover === undefined) return false
    overwrite(target, Buffer.from(leftover.text), files)
    tidyUp(dirname(target), files)
    return true
  } catch {
    return false // It is as malformed as before, and the next who reads it tries again.
  }
}

/** False when the file must not take the place of the other: it isn't there, or belongs to somebody else. */
function writeBeside(path: string, target: string, bytes: Buffer, files: Files): boolean {
  const file = create(path, files)
  if (file === undefined) return false
  try {
    limitMode(file, files)
    const owned = keepOwner(file, target, files)
    // A disk that runs full takes a part first and fails at the next call.
    for (let at = 0; at < bytes.length; ) at += files.writeSync(file, bytes, at)
    files.fsyncSync(file)
    return owned
  } finally {
    files.closeSync(file)
  }
}

/** `undefined` when the folder takes no files. */
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
 * The file must not be taken away from the user of Codex: a proxy that runs as root (in a container, mostly) gives it
 * back. False when replacing it would take it away all the same: root may lack the right to give, and others do.
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

/** Whether nobody loses the file when one of ours takes its place: it is ours or root's, or lies in a folder of ours. */
function isOursToReplace(target: string, files: Files): boolean {
  const user = process.geteuid?.()
  const { uid } = files.statSync(target)
  if (user === undefined || uid === user || uid === 0) return true
  // Of root's folder it says nothing: in a container all are.
  return user !== 0 && files.statSync(dirname(target)).uid === user
}

/** False when the file can only be written in place. */
function rename(temporary: string, target: string, files: Files): boolean {
  try {
    files.renameSync(temporary, target)
    return true
  } catch (error) {
    // On Windows these codes mean that somebody has the file open at the moment; it works the next time.
    if (process.platform !== 'win32' && isOneOf(error, [...MOUNTED, ...REFUSED])) return false
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

/** The login is written by now: nothing here is a reason to report a failure. */
function tidyUp(folder: string, files: Files): void {
  syncFolder(folder, files)
  try {
    // Of killed processes, for refresh tokens the file has moved on from. They hold tokens, so none may lie about.
    for (const path of allLeftoverPaths(folder, files)) remove(path, files)
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

/** Makes the new name last through a power cut; some systems and file systems can't, and need not. */
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
