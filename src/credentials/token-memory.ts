import type { ProxyError } from '../errors.ts'
import { elapsed } from '../system/elapsed.ts'
import type { ChatGptLogin } from './login.ts'

/**
 * How long after a failed refresh no early refresh is tried; if the issuer asked for fewer requests, how long nothing
 * is refreshed at all.
 */
const REST_MS = 30_000

type Refusal = {
  readonly refreshToken: string | undefined
  readonly error: ProxyError
  /** An access token that upstream also refuses: another program may still get a better one. */
  rejectedAccessToken?: string
}
type Failure = {
  readonly refreshToken: string | undefined
  readonly error: ProxyError
  readonly limited: boolean
  readonly at: number
}
type Issue = { readonly accessToken: string; readonly goodUntil: number }

/**
 * What is known about tokens beyond the file. Each fact only applies to the exact tokens it was learnt about, so a new
 * login starts with a clean slate; only that our clock is fast counts for all. Times in milliseconds since the epoch.
 */
export class TokenMemory {
  readonly #now: () => number
  #refusal: Refusal | undefined
  #failure: Failure | undefined
  #issue: Issue | undefined
  /** When the issuer was asked last. */
  #askedAt = 0
  /** From when on our clock is known to be fast; once it shows an earlier time, it has been set back. */
  #fastFrom = Number.POSITIVE_INFINITY

  constructor(now: () => number) {
    this.#now = now
  }

  isStale(login: ChatGptLogin): boolean {
    return !this.#isClockFast() && this.#now() >= (this.#issueOf(login)?.goodUntil ?? login.staleAt)
  }

  /** Whether upstream may still accept the access token; one without readable expiry counts as valid until refused. */
  isUsable(login: ChatGptLogin): boolean {
    if (this.#refusalOf(login)?.rejectedAccessToken === login.credentials.accessToken) return false
    if (this.#isClockFast()) return true
    return this.#now() < (this.#issueOf(login)?.goodUntil ?? login.expiresAt ?? Number.POSITIVE_INFINITY)
  }

  /** Whether refreshing failed so recently that it shouldn't be retried while the access token is still valid. */
  isResting(login: ChatGptLogin): boolean {
    const failure = this.#failureOf(login)
    return failure !== undefined && elapsed(failure.at, this.#now()) < REST_MS
  }

  /** Why the issuer is not asked now: it has reported too many requests, and asking again would prolong that. */
  limitOf(login: ChatGptLogin): ProxyError | undefined {
    const failure = this.#failureOf(login)
    return failure?.limited && this.isResting(login) ? failure.error : undefined
  }

  /** Why these tokens will never be refreshed. */
  refusalOf(login: ChatGptLogin): ProxyError | undefined {
    return this.#refusalOf(login)?.error
  }

  /** Why refreshing these tokens failed last. */
  failureOf(login: ChatGptLogin): ProxyError | undefined {
    return this.#failureOf(login)?.error
  }

  noteAsked(): void {
    this.#askedAt = this.#now()
  }

  noteRefused(refreshToken: string | undefined, error: ProxyError): void {
    this.#refusal = { refreshToken, error }
  }

  noteFailed(refreshToken: string, error: ProxyError, limited = false): void {
    this.#failure = { refreshToken, error, limited, at: this.#now() }
  }

  /** Upstream refuses the access token. If it can't be refreshed either, later requests need not try. */
  noteRejected(login: ChatGptLogin): void {
    const refusal = this.#refusalOf(login)
    if (refusal !== undefined) refusal.rejectedAccessToken = login.credentials.accessToken
  }

  /**
   * A token straight from the issuer is good, whatever our clock says. If it seems stale already, our clock is fast or
   * the token short-lived, and refreshing it again at once would never end. If it had expired before it was asked for, the
   * clock is fast by more than a token lives: programs that share a login would each refresh what the other has got.
   */
  noteIssued(login: ChatGptLogin): void {
    this.#failure = undefined
    const hadExpired = login.expiresAt !== undefined && login.expiresAt <= this.#askedAt
    this.#fastFrom = hadExpired ? this.#askedAt : Number.POSITIVE_INFINITY
    const now = this.#now()
    if (now < login.staleAt) return
    const isAhead = login.expiresAt !== undefined && login.expiresAt > now
    const goodUntil = isAhead ? login.expiresAt : Number.POSITIVE_INFINITY
    this.#issue = { accessToken: login.credentials.accessToken, goodUntil }
  }

  /** Only upstream can tell, then, which tokens are still good. */
  #isClockFast(): boolean {
    return this.#now() >= this.#fastFrom
  }

  #refusalOf(login: ChatGptLogin): Refusal | undefined {
    return this.#refusal?.refreshToken === login.refreshToken ? this.#refusal : undefined
  }

  #failureOf(login: ChatGptLogin): Failure | undefined {
    return this.#failure?.refreshToken === login.refreshToken ? this.#failure : undefined
  }

  #issueOf(login: ChatGptLogin): Issue | undefined {
    return this.#issue?.accessToken === login.credentials.accessToken ? this.#issue : undefined
  }
}
