import type nodeFs from 'node:fs'
import { join } from 'node:path'
import { ProxyError } from '../errors.ts'
import { elapsed } from '../system/elapsed.ts'
import { codeInBrackets, isCode, isHeldOpen, isOneOf } from '../system/error-code.ts'
import { readText } from '../system/text-file.ts'
import { credentialStore } from './codex-config.ts'
import { parseLogin, type WrittenLogin } from './login.ts'

/** The file system calls used to read and write the login; tests make them fail, or stop at any of them. */
export type Files = Pick<
  typeof nodeFs,
  | 'accessSync'
  | 'closeSync'
  | 'fchmodSync'
  | 'fchownSync'
  | 'fsyncSync'
  | 'ftruncateSync'
  | 'openSync'
  | 'readdirSync'
  | 'readFileSync'
  | 'realpathSync'
  | 'renameSync'
  | 'rmSync'
  | 'statSync'
  | 'writeSync'
>

/** A login is a few kilobytes. A larger file is something else, which must not be read at every change. */
const MAX_BYTES = 1024 * 1024
/**
 * A file that changed this shortly before it was read may change again without new times, since file systems count in
 * ticks of some milliseconds.
 */
const CLOCK_TICK_MS = 50
/** A file younger than this may still be being written. */
const JUST_WRITTEN_MS = 2000

type Stamp = { readonly ctimeMs: number; readonly mtimeMs: number; readonly size: number; readonly ino: number }

/** The auth.json of one Codex folder, parsed again only when it changed. Read-only; see `auth-file-write.ts`. */
export class AuthFile {
  readonly path: string
  readonly #codexHome: string
  readonly #files: Files
  #read: { stamp: Stamp; settled: boolean; stored: WrittenLogin } | undefined

  constructor(codexHome: string, files: Files) {
    this.path = join(codexHome, 'auth.json')
    this.#codexHome = codexHome
    this.#files = files
  }

  /** What the file holds now. Costs one `stat` when nothing changed. Throws a ProxyError (credentials_…). */
  read(): WrittenLogin {
    const stamp = this.#stat()
    if (this.#read?.settled === true && sameStamp(this.#read.stamp, stamp)) return this.#read.stored
    const stored = parseLogin(this.#readText())
    this.#read = { stamp, settled: elapsed(stamp.mtimeMs, Date.now()) > CLOCK_TICK_MS, stored }
    return stored
  }

  /** The file itself, behind symbolic links. */
  target(): string {
    try {
      return this.#files.realpathSync(this.path)
    } catch {
      return this.path // Gone: reading says so.
    }
  }

  /** Whether a malformed file may be half-written: an older Codex writes in place. */
  justWritten(): boolean {
    const stat = this.#files.statSync(this.path, { throwIfNoEntry: false })
    return stat !== undefined && elapsed(stat.mtimeMs, Date.now()) < JUST_WRITTEN_MS
  }

  #stat(): Stamp {
    let stat: nodeFs.Stats | undefined
    try {
      stat = this.#files.statSync(this.path, { throwIfNoEntry: false })
    } catch (error) {
      throw unreadable(this.path, error)
    }
    if (stat === undefined) throw this.#missing()
    if (!stat.isFile()) throw notAFile(this.path, stat)
    if (stat.size > MAX_BYTES) throw new ProxyError('credentials_malformed', `${this.path} is too large to be a login.`)
    return stat
  }

  #readText(): string {
    try {
      return readText(this.path, this.#files)
    } catch (error) {
      throw isCode(error, 'ENOENT') ? this.#missing() : unreadable(this.path, error)
    }
  }

  #missing(): ProxyError {
    const store = credentialStore(this.#codexHome)
    if (store !== undefined && store !== 'file') {
      const where = store === 'ephemeral' ? 'only in its own memory' : 'in the system keyring'
      return new ProxyError(
        'credentials_in_keyring',
        `There is no ${this.path}: Codex is set to keep the login ${where} (cli_auth_credentials_store = "${store}").`,
      )
    }
    return new ProxyError('credentials_missing', `There is no ${this.path}.`)
  }
}

function sameStamp(one: Stamp, other: Stamp): boolean {
  // The change time too, since copying an old file over this one may keep the modification time and the size.
  return (
    one.ctimeMs === other.ctimeMs && one.mtimeMs === other.mtimeMs && one.size === other.size && one.ino === other.ino
  )
}

function notAFile(path: string, stat: nodeFs.Stats): ProxyError {
  const what = stat.isDirectory()
    ? 'is a folder; remove it (Docker makes one when the file to mount is missing)'
    : 'is not a regular file; remove it'
  return new ProxyError('credentials_unreadable', `${path} ${what}.`)
}

function unreadable(path: string, error: unknown): ProxyError {
  return new ProxyError('credentials_unreadable', `${path} can't be read${codeInBrackets(error)}.`, { cause: error })
}

/**
 * Whether the user has signed out, or signed in with something that only Codex can use: then a login must not come
 * back.
 */
export function isGone(error: unknown): boolean {
  return isOneOf(error, ['credentials_missing', 'credentials_in_keyring', 'credentials_unsupported'])
}

/** Whether the file is there, but may be half-written. */
export function isMalformed(error: unknown): boolean {
  return isCode(error, 'credentials_malformed')
}

/** Someone has the file open, so it can't be read or, on Windows, replaced. Missing permission is another code. */
export function isHeld(error: unknown): boolean {
  return isHeldOpen(error) || (error instanceof ProxyError && isCode(error.cause, 'EBUSY'))
}
