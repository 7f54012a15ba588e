import { setTimeout as delay } from 'node:timers/promises'
import { ProxyError } from '../errors.ts'
import type { StoredLogin } from './auth-file.ts'
import { acquireLock } from './lock-file.ts'
import type { ChatGptLogin, Login } from './login.ts'
import { type Grant, grantOf, type NewTokens, type PostToken, type RefreshOverrides, redeem } from './refresh.ts'
import type { TokenMemory } from './token-memory.ts'
import type { TokenStore, Warn } from './token-store.ts'

/** Longer than a refresh by another process of ours may take. */
const LOCK_PATIENCE_MS = 75_000
const HEALING_POLL_MS = 25
/** A token may be refused because of a newer one that is refused in turn; a third time it is no race. */
const ROUNDS = 3
/** How long a request whose access token is still good waits for a better one. */
const EARLY_PATIENCE_MS = 5000

/** Whether these are tokens to be renewed. */
type Spent = (login: ChatGptLogin) => boolean
type Flight = { readonly login: Promise<Login>; readonly late: Promise<void> }

export type RenewalParts = {
  readonly store: TokenStore
  readonly memory: TokenMemory
  readonly mode: 'read-write' | 'read-only'
  readonly overrides: RefreshOverrides
  readonly postToken: PostToken
  readonly now: () => number
  /** The clock of file times. */
  readonly wallClock: () => number
  readonly warn: Warn
  /** How long after a refusal a newer login is awaited: who has redeemed the token first writes it any moment. */
  readonly healingMs: number
}

/** Renews the login: in single flight, under our lock, re-reading before, after a refusal and before writing. */
export class Renewal {
  readonly #parts: RenewalParts
  #flight: Flight | undefined
  #closed = false

  constructor(parts: RenewalParts) {
    this.#parts = parts
  }

  /** Throws a ProxyError when these tokens can't be renewed, as far as it is known without asking anybody. */
  checkRenewable(login: ChatGptLogin): void {
    this.#grant(login)
  }

  obstacleOf(login: ChatGptLogin): ProxyError | undefined {
    try {
      this.#grant(login)
      return undefined
    } catch (error) {
      if (error instanceof ProxyError) return error
      throw error
    }
  }

  /** The login that takes the place of spent tokens. Throws a ProxyError when there is none. */
  async renew(spent: Spent): Promise<Login> {
    if (this.#flight !== undefined) {
      const login = await this.#flight.login
      if (login.kind === 'api-key' || !spent(login)) return login
    }
    return await this.#fly(spent).login
  }

  /** The same for tokens that are still good: they are kept when better ones can't be had, or not soon. */
  async renewEarly(login: ChatGptLogin): Promise<Login> {
    const { memory } = this.#parts
    if (memory.isResting(login) || this.obstacleOf(login) !== undefined) return login
    const { login: renewed, late } = this.#fly((current) => memory.isStale(current))
    try {
      return await Promise.race([renewed, late.then(() => login)])
    } catch {
      return login // The reason was logged, and the status shows it.
    }
  }

  /** No token is redeemed from now on. Resolves when one that is being redeemed is done, however it ended. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#flight?.login.catch(() => {})
  }

  #fly(spent: Spent): Flight {
    this.#flight ??= {
      login: this.#underLock(spent).finally(() => {
        this.#flight = undefined
      }),
      late: delay(EARLY_PATIENCE_MS, undefined, { ref: false }),
    }
    return this.#flight
  }

  async #underLock(spent: Spent): Promise<Login> {
    const { store, wallClock } = this.#parts
    const until = () => this.#closed || this.#unspent(spent) !== undefined
    const lock = await acquireLock(store.lockPath, { until, patienceMs: LOCK_PATIENCE_MS, now: wallClock })
    if (lock === undefined) {
      const login = this.#unspent(spent)
      if (login !== undefined) return login
      this.#checkOpen()
      const message = `Another codex-api-proxy has been renewing the login for too long; its lock is ${store.lockPath}.`
      throw new ProxyError('refresh_failed', message)
    }
    try {
      return await this.#redeem(spent)
    } finally {
      lock.release()
    }
  }

  async #redeem(spent: Spent): Promise<Login> {
    const { store, memory, postToken, warn, healingMs } = this.#parts
    for (let round = 1; ; round++) {
      const stored = await store.readSettled() // Another process may have renewed it while we waited.
      const { login } = stored
      if (login.kind === 'api-key' || !spent(login)) return login
      const grant = this.#grant(login)
      if (store.recover(stored, grant.refreshToken)) continue
      this.#checkOpen()
      const full = store.noRoom()
      const outcome = full === undefined ? await redeem(grant, postToken) : { kind: 'failed' as const, error: full }
      if (outcome.kind === 'renewed') return this.#take(stored, login, grant, outcome.tokens)
      const healed = await this.#healed(spent, grant, outcome.kind === 'refused' ? healingMs : 0)
      if (healed && round < ROUNDS) continue
      warn({ code: outcome.error.code }, outcome.error.message)
      if (outcome.kind === 'refused') memory.noteRefused(grant.refreshToken, outcome.error)
      else memory.noteFailed(grant.refreshToken, outcome.error)
      throw outcome.error
    }
  }

  #take(stored: StoredLogin, before: ChatGptLogin, grant: Grant, tokens: NewTokens): Login {
    const { store, memory, now } = this.#parts
    const login = store.keep(stored, grant.refreshToken, tokens, now())
    if (login.kind === 'api-key') return login
    if (login.credentials.accessToken !== before.credentials.accessToken) {
      memory.noteIssued(login)
      return login
    }
    // Asking again would bring the same, and again with each request.
    const error = new ProxyError('login_expired', 'The token endpoint renewed the login without a new access token.')
    memory.noteRefused(login.refreshToken, error)
    throw error
  }

  /** What is redeemed late in a stop may be cut off by its end, and nobody waits for it any more. */
  #checkOpen(): void {
    if (this.#closed) throw new ProxyError('draining', 'The proxy was stopped before the login was renewed.')
  }

  /** Whether the file has got something better than what was just redeemed in vain. */
  async #healed(spent: Spent, grant: Grant, patienceMs: number): Promise<boolean> {
    const { store, wallClock } = this.#parts
    const deadline = wallClock() + patienceMs
    while (true) {
      if (this.#unspent(spent) !== undefined || store.holdsOther(grant.refreshToken)) return true
      if (wallClock() >= deadline) return false
      await delay(HEALING_POLL_MS)
    }
  }

  #unspent(spent: Spent): Login | undefined {
    try {
      const { login } = this.#parts.store.read()
      return login.kind === 'api-key' || !spent(login) ? login : undefined
    } catch {
      return undefined // Just being written, or gone: whoever reads it next says so.
    }
  }

  #grant(login: ChatGptLogin): Grant {
    const { store, mode, memory, overrides } = this.#parts
    if (mode === 'read-only') {
      throw new ProxyError(
        'login_stale',
        'The access token in auth.json is no longer good, and the proxy may only read.',
      )
    }
    const refusal = memory.refusalOf(login)
    if (refusal !== undefined) throw refusal
    const grant = grantOf(login, overrides)
    if (!store.canKeep()) throw unkeepable(store.path)
    return grant
  }
}

/** Renewing would spend the refresh token, and what comes of it would be gone when the proxy stops. */
function unkeepable(path: string): ProxyError {
  return new ProxyError(
    'login_stale',
    `${path} can't be written, so its login isn't renewed: the new tokens would be lost. Let the proxy write it and its folder.`,
  )
}
