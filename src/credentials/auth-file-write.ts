import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { Files } from './auth-file.ts'
import { type JsonObject, objectOf } from './json-object.ts'
import { parseLogin } from './login.ts'
import type { NewTokens } from './refresh.ts'

/** Readable by the owner alone, whatever it was before, like Codex writes it. */
const MODE = 0o600
/** How the file is called until it is complete. The part between tells which refresh token was redeemed for it. */
const LEFTOVER_PREFIX = '.auth-'
const LEFTOVER_SUFFIX = '.codex-api-proxy.tmp'

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
  readonly redeemed: string
  /** Asked at the last moment: false leaves the file as it is. */
  readonly mayReplace: () => boolean
}

/**
 * Replaces auth.json at once: whoever reads it, or whenever this process is killed, finds the old content or the new.
 * A symbolic link stays and its target is replaced. Throws what the file system throws; the old file is intact then.
 */
export function replaceAuthFile(path: string, files: Files, { content, redeemed, mayReplace }: Replacement): boolean {
  const target = files.realpathSync(path)
  const folder = dirname(target)
  const temporary = join(folder, leftoverName(redeemed))
  try {
    files.rmSync(temporary, { force: true })
    writeDurably(temporary, JSON.stringify(content, null, 2), files, files.statSync(target))
    if (!mayReplace()) {
      files.rmSync(temporary)
      return false
    }
    files.renameSync(temporary, target)
  } catch (error) {
    remove(temporary, files)
    throw error
  }
  syncFolder(folder, files)
  removeLeftovers(folder, files)
  return true
}

/**
 * Puts in place what a killed process wrote after it had redeemed this refresh token, but didn't rename any more: the
 * tokens exist nowhere else, and without them the login would be lost. Only for the holder of the lock.
 */
export function adoptLeftover(path: string, files: Files, redeemed: string): boolean {
  try {
    const target = files.realpathSync(path)
    const leftover = join(dirname(target), leftoverName(redeemed))
    parseLogin(files.readFileSync(leftover, 'utf8'))
    files.renameSync(leftover, target)
    return true
  } catch {
    return false // None there, or one that wasn't completed.
  }
}

function leftoverName(redeemed: string): string {
  const digest = createHash('sha256').update(redeemed).digest('hex').slice(0, 16)
  return `${LEFTOVER_PREFIX}${digest}${LEFTOVER_SUFFIX}`
}

/** Of killed processes, for refresh tokens the file has moved on from. They hold tokens, so none may lie about. */
function removeLeftovers(folder: string, files: Files): void {
  for (const name of files.readdirSync(folder)) {
    if (name.startsWith(LEFTOVER_PREFIX) && name.endsWith(LEFTOVER_SUFFIX)) remove(join(folder, name), files)
  }
}

function writeDurably(path: string, text: string, files: Files, owner: { uid: number; gid: number }): void {
  const file = files.openSync(path, 'wx', MODE)
  try {
    files.fchmodSync(file, MODE)
    keepOwner(file, files, owner)
    const bytes = Buffer.from(text)
    // A disk that runs full takes a part first and fails at the next call.
    for (let at = 0; at < bytes.length; ) at += files.writeSync(file, bytes, at)
    files.fsyncSync(file)
  } finally {
    files.closeSync(file)
  }
}

/** A proxy that runs as root (in a container, mostly) must not take the file away from the user of Codex. */
function keepOwner(file: number, files: Files, { uid, gid }: { uid: number; gid: number }): void {
  if (process.getuid?.() !== 0 || uid === 0) return
  files.fchownSync(file, uid, gid)
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
