import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ProxyError } from '../errors.ts'
import { onceFree } from '../system/once-free.ts'
import { type AuthFile, type Files, isGone, isHeld, isMalformed } from './auth-file.ts'
import { isWritable, mendAuthFile, removeWritten, replaceAuthFile, roomProblem } from './auth-file-write.ts'
import type { CredentialMode } from './credentials.ts'
import { leftTokens } from './leftovers.ts'
import type { Login, StoredLogin, WrittenLogin } from './login.ts'
import type { NewTokens } from './refresh.ts'
import { holds, isOnlyHope, textWith, type UnsavedTokens, unsavedTokens } from './unsaved-tokens.ts'

const REREAD_MS = 50
const RETRY_MS = 1000
/** The warning is repeated after this many failed tries. */
const REPEAT_WARNING = 60

export type Warn = (fields: Record<string, unknown>, message: string) => void

/**
 * The current login: what auth.json holds, or newer tokens that could not be written to it yet. Those exist only in
 * this process, so they are used, and written as soon as possible, but never over a login that someone else wrote.
 */
export class TokenStore {
  readonly #file: AuthFile
  readonly #files: Files
  readonly #mode: CredentialMode
  readonly #warn: Warn
  #unsaved: UnsavedTokens | undefined
  /** Those whose login left the file before they could be written, in case it comes back. */
  #aside: UnsavedTokens | undefined
  #failures = 0
  #retry: NodeJS.Timeout | undefined

  constructor(file: AuthFile, files: Files, mode: CredentialMode, warn: Warn) {
    this.#file = file
    this.#files = files
    this.#mode = mode
    this.#warn = warn
  }

  get path(): string {
    return this.#file.path
  }

  get hasUnsaved(): boolean {
    return this.#unsaved !== undefined
  }

  /** Beside the file itself, so that folders which share it by links share the lock. */
  get lockPath(): string {
    return join(dirname(this.#file.target()), '.auth.json.codex-api-proxy.lock')
  }

  /** Throws a ProxyError (credentials_…) when there is no usable login. */
  read(): StoredLogin {
    const unsaved = this.#unsaved
    if (unsaved === undefined) return this.#readFile()
    try {
      const stored = this.#file.read()
      if (holds(stored.login, unsaved.spentToken)) return unsaved.stored
      this.#setAside(unsaved)
      return stored
    } catch (error) {
      // A temporarily unreadable file is no evidence against the tokens in memory.
      if (!isGone(error)) return unsaved.stored
      this.#setAside(unsaved)
      throw error
    }
  }

  /** Takes back what was set aside if its login is there again. */
  #readFile(): StoredLogin {
    const stored = this.#file.read()
    if (this.#aside === undefined || !holds(stored.login, this.#aside.spentToken)) return stored
    this.#unsaved = this.#aside
    this.#aside = undefined
    return this.#unsaved.stored
  }

  /** The same, but waits while someone holds the file exclusively, and reads again what is only half-written. */
  async readSettled(): Promise<StoredLogin> {
    try {
      return await onceFree(() => this.read(), isHeld)
    } catch (error) {
      if (!isMalformed(error)) throw error
      if (this.#file.justWritten()) await delay(REREAD_MS)
      else if (!this.#mend()) throw error
    }
    return await onceFree(() => this.read(), isHeld)
  }

  /** Whether the login is no longer the one with this refresh token. */
  holdsOther(refreshToken: string): boolean {
    try {
      return !holds(this.read().login, refreshToken)
    } catch {
      return false // Half-written or gone: that is no other login yet.
    }
  }

  /** Whether refreshed tokens could be saved: in the file, unless the current ones are only in memory anyway. */
  canKeep(): boolean {
    return this.#unsaved !== undefined || isWritable(this.#file.path, this.#files)
  }

  /** Why there is no room for new tokens: if the old one were spent, only this process would still have the login. */
  roomProblem(): ProxyError | undefined {
    return this.#unsaved === undefined ? roomProblem(this.#file.path, this.#files) : undefined
  }

  /** Before a refresh token is spent: takes over the tokens that a killed process already got for it. */
  recover(from: StoredLogin, spentToken: string): boolean {
    if (this.#unsaved !== undefined) return false // These are newer than anything a killed process left.
    const left = leftTokens(this.#file.path, this.#files, spentToken)
    // A refresh token that stayed the same is still good (RFC 6749 §6), and the file may hold newer tokens than these.
    if (left === undefined || left.tokens.refresh_token === spentToken) return false
    this.keep(from, spentToken, left.tokens, left.refreshedAt)
    return true
  }

  /** Takes over new tokens and writes them. Returns the login to use: the new one, or a newer one in the file. */
  keep(from: StoredLogin, spentToken: string, tokens: NewTokens, refreshedAt: number): Login {
    this.#unsaved = unsavedTokens(from, { spentToken, tokens, refreshedAt }, this.#unsaved)
    this.save()
    return this.read().login
  }

  /** Writes tokens that are not written yet; if that fails, it is retried later. */
  save(): void {
    try {
      this.#write()
    } catch (error) {
      this.#postpone(error)
    }
  }

  /** The same at the end of the program, when there is no later: it waits while someone has the file open. */
  async saveAtEnd(): Promise<void> {
    await onceFree(() => this.#write(), isHeld).catch((error) => this.#postpone(error))
  }

  #write(): void {
    const unsaved = this.#unsaved ?? this.#aside
    if (unsaved === undefined) return
    clearTimeout(this.#retry)
    if (!this.#replaceUnlessGone(unsaved)) {
      this.#setAside(unsaved)
      return
    }
    if (this.#failures > 0) this.#warn({ file: this.#file.path }, 'the refreshed login is now written')
    this.#forget()
    if (unsaved === this.#aside) this.#aside = undefined
    else if (this.#aside !== undefined) this.#tryLater() // Another account's.
  }

  #replaceUnlessGone(unsaved: UnsavedTokens): boolean {
    try {
      return this.#replace(unsaved)
    } catch (error) {
      if (!isGone(error)) throw error
      return false
    }
  }

  /** False when the file holds another login by now. */
  #replace(unsaved: UnsavedTokens): boolean {
    const { spentToken, tokens } = unsaved
    while (true) {
      const { json, content, login } = this.#readFinished(unsaved.written)
      if (!holds(login, spentToken)) return tokens.refresh_token !== undefined && holds(login, tokens.refresh_token)
      unsaved.written = textWith(unsaved, { json, content })
      const replaced = replaceAuthFile(this.#file.path, this.#files, {
        json: unsaved.written,
        spentToken,
        // If someone has written since, this starts over with what the file holds then. Until that is complete the
        // tokens stay beside it: if we are killed meanwhile, they exist nowhere else.
        mayReplace: () => this.#stillHolds(json),
      })
      if (replaced) return true
    }
  }

  /** A file that could neither be written completely in place nor restored is completed first. */
  #readFinished(written: string | undefined): WrittenLogin {
    try {
      return this.#file.read()
    } catch (error) {
      if (!isMalformed(error) || this.#file.justWritten() || !this.#mend(written)) throw error
      return this.#file.read()
    }
  }

  /** False also when the file can't be read, which the next look tells. */
  #stillHolds(json: string): boolean {
    try {
      return this.#file.read().json === json
    } catch {
      return false
    }
  }

  #postpone(error: unknown): void {
    if (this.#failures++ % REPEAT_WARNING === 0) {
      this.#warn(
        { file: this.#file.path, err: error },
        'THE REFRESHED LOGIN COULD NOT BE WRITTEN and is kept in memory only: it is lost if the proxy stops before it can',
      )
    }
    this.#tryLater()
  }

  #mend(written?: string): boolean {
    return this.#mode === 'read-write' && mendAuthFile(this.#file.path, this.#files, written)
  }

  /**
   * The user has signed out or signed in anew; or the folder was moved, its mount is away for a while, or a link leads to
   * another account. In those cases the file may come back with the token that was spent, which would be refused.
   */
  #setAside(unsaved: UnsavedTokens): void {
    this.#forget()
    if (!isOnlyHope(unsaved)) return
    this.#aside = unsaved
    this.#tryLater()
  }

  #tryLater(): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.save(), RETRY_MS).unref()
  }

  #forget(): void {
    clearTimeout(this.#retry)
    if (this.#unsaved !== undefined) removeWritten(this.#file.target(), this.#files, this.#unsaved.spentToken)
    this.#unsaved = undefined
    this.#failures = 0
  }
}
