import { setTimeout as delay } from 'node:timers/promises'
import { ProxyError } from '../errors.ts'
import { acquireLock } from '../system/lock-file.ts'
import type { CredentialMode } from './credentials.ts'
import type { ChatGptLogin, Login, StoredLogin } from './login.ts'
import { askIssuer, type Grant, grantOf, type NewTokens, type PostToken, type RefreshOverrides } from './refresh.ts'
import type { TokenMemory } from './token-memory.ts'
import type { TokenStore, Warn } from './token-store.ts'

/** Longer than a refresh by another process of ours may take. */
const LOCK_PATIENCE_MS = 75_000
const HEALING_POLL_MS = 25
/**
 * A token may be refused because another process has spent it, and so may the newer one; a third time is not a race.
 */
const ROUNDS = 3
/** How long a request whose access token is still valid waits for a newer one. */
const EARLY_PATIENCE_MS = 5000

/** Whether this login still has to be refreshed. */
type NeedsRefresh = (login: ChatGptLogin) => boolean
type Flight = { readonly login: Promise<Login>; readonly late: Promise<void> }

type LoginRefresherParts = {
  readonly store: TokenStore
  readonly memory: TokenMemory
  readonly mode: CredentialMode
  readonly overrides: RefreshOverrides
  readonly postToken: PostToken
  readonly now: () => number
  readonly warn: Warn
  /** How long to wait for a newer login after a refusal: whoever has spent the token is about to write it. */
  readonly healingMs: number
}

/** Refreshes the login: in single flight, under our lock, re-reading before, after a refusal and before writing. */
export class LoginRefresher {
  readonly #parts: LoginRefresherParts
  #flight: Flight | undefined
  #closed = false

  constructor(parts: LoginRefresherParts) {
    this.#parts = parts
  }

  /** Why it is already known that these tokens can't be refreshed. */
  obstacleOf(login: ChatGptLogin): ProxyError | undefined {
    try {
      this.#grant(login)
      return undefined
    } catch (error) {
      if (error instanceof ProxyError) return error
      throw error
    }
  }

  /** The login that replaces one that needs a refresh. Throws a ProxyError if there is none. */
  async refresh(login: ChatGptLogin, needsRefresh: NeedsRefresh): Promise<Login> {
    const obstacle = this.obstacleOf(login)
    if (obstacle !== undefined) throw obstacle
    if (this.#flight !== undefined) {
      const refreshed = await this.#flight.login
      if (refreshed.kind === 'api-key' || !needsRefresh(refreshed)) return refreshed
    }
    return await this.#fly(needsRefresh).login
  }

  /** The same for tokens that are still valid: they stay in use if new ones can't be had soon. */
  async refreshEarly(login: ChatGptLogin): Promise<Login> {
    const { memory } = this.#parts
    if (memory.isResting(login) || this.obstacleOf(login) !== undefined) return login
    const { login: refreshed, late } = this.#fly((current) => memory.isStale(current))
    try {
      return await Promise.race([refreshed, late.then(() => login)])
    } catch {
      return login // The reason was logged, and the status shows it.
    }
  }

  /** No refresh begins after this. Resolves when one in progress has ended, whatever its outcome. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#flight?.login.catch(() => {})
  }

  #fly(needsRefresh: NeedsRefresh): Flight {
    this.#flight ??= {
      login: this.#underLock(needsRefresh).finally(() => {
        this.#flight = undefined
      }),
      late: delay(EARLY_PATIENCE_MS, undefined, { ref: false }),
    }
    return this.#flight
  }

  async #underLock(needsRefresh: NeedsRefresh): Promise<Login> {
    const { store } = this.#parts
    const until = () => this.#closed || this.#freshByNow(needsRefresh) !== undefined
    const lock = await acquireLock(store.lockPath, { until, patienceMs: LOCK_PATIENCE_MS })
    if (lock === undefined) {
      const login = this.#freshByNow(needsRefresh)
      if (login !== undefined) return login
      this.#checkOpen()
      const message = `Another codex-api-proxy has been refreshing the login for too long; its lock is ${store.lockPath}.`
      throw new ProxyError('refresh_failed', message)
    }
    try {
      return await this.#refreshStored(needsRefresh)
    } finally {
      lock.release()
    }
  }

  async #refreshStored(needsRefresh: NeedsRefresh): Promise<Login> {
    const { store, memory, postToken, warn, healingMs } = this.#parts
    for (let round = 1; ; round++) {
      const stored = await store.readSettled() // Another process may have refreshed it while we waited.
      const { login } = stored
      if (login.kind === 'api-key' || !needsRefresh(login)) return login
      const grant = this.#grant(login)
      if (store.recover(stored, grant.refreshToken)) continue
      this.#checkOpen()
      const full = store.roomProblem()
      memory.noteAsked()
      const outcome = full === undefined ? await askIssuer(grant, postToken) : { kind: 'failed' as const, error: full }
      if (outcome.kind === 'refreshed') return this.#take(stored, login, grant, outcome.tokens)
      const healed = await this.#healed(needsRefresh, grant, outcome.kind === 'refused' ? healingMs : 0)
      if (healed && round < ROUNDS) continue
      warn({ code: outcome.error.code }, outcome.error.message)
      if (outcome.kind === 'refused') memory.noteRefused(grant.refreshToken, outcome.error)
      else memory.noteFailed(grant.refreshToken, outcome.error, outcome.limited)
      throw outcome.error
    }
  }

  #take(stored: StoredLogin, before: ChatGptLogin, grant: Grant, tokens: NewTokens): Login {
    const { store, memory, now } = this.#parts
    const login = store.keep(stored, grant.refreshToken, tokens, now())
    if (login.kind === 'api-key') return login
    if (login.credentials.accessToken !== before.credentials.accessToken) {
      // Otherwise somebody else has written it meanwhile.
      if (login.credentials.accessToken === tokens.access_token) memory.noteIssued(login)
      return login
    }
    // Every further request would ask again, and get the same.
    const error = new ProxyError('login_expired', 'The token endpoint answered the refresh without a new access token.')
    memory.noteRefused(login.refreshToken, error)
    throw error
  }

  /** A refresh that begins late during a stop might be cut off, and nobody waits for it any more. */
  #checkOpen(): void {
    if (this.#closed) throw new ProxyError('draining', 'The proxy was stopped before the login was refreshed.')
  }

  /** Whether a newer login than the refused one appears in the file in time. */
  async #healed(needsRefresh: NeedsRefresh, grant: Grant, patienceMs: number): Promise<boolean> {
    const { store } = this.#parts
    // By a clock that can't be set back, since requests and a stop wait for this.
    const deadline = performance.now() + patienceMs
    while (true) {
      if (this.#freshByNow(needsRefresh) !== undefined || store.holdsOther(grant.refreshToken)) return true
      if (performance.now() >= deadline) return false
      await delay(HEALING_POLL_MS)
    }
  }

  /** What the file holds, if that needs no refresh any more. */
  #freshByNow(needsRefresh: NeedsRefresh): Login | undefined {
    try {
      const { login } = this.#parts.store.read()
      return login.kind === 'api-key' || !needsRefresh(login) ? login : undefined
    } catch {
      return undefined // Just being written, or gone: whoever reads it next says so.
    }
  }

  #grant(login: ChatGptLogin): Grant {
    const { store, mode, memory, overrides } = this.#parts
    if (mode === 'read-only') {
      throw new ProxyError(
        'login_stale',
        'The access token in auth.json is no longer valid, and the proxy may only read that file.',
      )
    }
    const known = memory.refusalOf(login) ?? memory.limitOf(login)
    if (known !== undefined) throw known
    const grant = grantOf(login, overrides)
    if (!store.canKeep()) throw unkeepable(store.path)
    return grant
  }
}

/** Refreshing would spend the refresh token, and the new tokens would be gone when the proxy stops. */
function unkeepable(path: string): ProxyError {
  return new ProxyError(
    'login_stale',
    `${path} can't be written, so its login isn't refreshed: the new tokens would be lost.`,
  )
}
