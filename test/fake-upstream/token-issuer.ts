import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { unsignedJwt } from '../support/auth-files.ts'
import { listenOnLoopback } from '../support/loopback.ts'
import type { Gate } from './answer.ts'

export type TokenIssuerOptions = {
  /** How long access tokens live. */
  readonly lifetimeMs?: number
  /** The clock of the issuer, in milliseconds since the epoch. */
  readonly now?: () => number
}

/** The content of auth.json after a login. */
export type IssuedAuth = {
  readonly auth_mode: 'chatgpt'
  readonly OPENAI_API_KEY: null
  readonly tokens: {
    readonly id_token: string
    readonly access_token: string
    readonly refresh_token: string
    readonly account_id: string
  }
  readonly last_refresh: string
}

type Answer = { readonly status: number; readonly body: unknown }

/** What is known of a refresh token that was given out; each is good for one redemption. */
type Grant = { readonly account: string; spent: boolean }

/**
 * A token endpoint like OpenAI's (docs/upstream.md 2): every refresh token is good once, a second use is refused and
 * counted. Listens on loopback.
 */
export class TokenIssuer {
  /** How many refresh requests came in, and with which bodies. */
  readonly requests: Record<string, unknown>[] = []
  /** How often a refresh token was presented that had been spent before. */
  reuses = 0
  /** How long every answer takes, after the token was spent. */
  delayMs = 0
  /** Every answer waits for it, after the token was spent. */
  gate: Gate | undefined
  /** How long access tokens given out from now on live. */
  lifetimeMs: number
  readonly #now: () => number
  readonly #grants = new Map<string, Grant>()
  readonly #accessTokens = new Set<string>()
  readonly #revoked = new Set<string>()
  readonly #planned: Answer[] = []
  #port = 0
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  constructor({ lifetimeMs = 10 * 24 * 3600_000, now = () => Date.now() }: TokenIssuerOptions) {
    this.lifetimeMs = lifetimeMs
    this.#now = now
  }

  async listen(): Promise<this> {
    this.#port = await listenOnLoopback(this.#server)
    return this
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** The value for CODEX_REFRESH_TOKEN_URL_OVERRIDE. */
  get url(): string {
    return `${this.origin}/oauth/token`
  }

  /** A login as `codex login` would write it. */
  login(given: { account?: string; lifetimeMs?: number } = {}): IssuedAuth {
    const { account = randomUUID(), lifetimeMs = this.lifetimeMs } = given
    return {
      auth_mode: 'chatgpt',
      OPENAI_API_KEY: null,
      tokens: { ...this.#issue(account, lifetimeMs), account_id: account },
      last_refresh: new Date(this.#now()).toISOString(),
    }
  }

  /** The next refresh gets this answer; its token isn't spent. May be called several times, for one answer each. */
  answerNext(status: number, body: unknown): void {
    this.#planned.push({ status, body })
  }

  /** Whether this access token came from here. */
  knows(accessToken: string): boolean {
    return this.#accessTokens.has(accessToken)
  }

  /** From now on upstream refuses this access token, although it has not expired. */
  revoke(accessToken: string): void {
    this.#revoked.add(accessToken)
  }

  /** Whether upstream takes this access token. */
  accepts(accessToken: string): boolean {
    return this.knows(accessToken) && !this.#revoked.has(accessToken)
  }

  /** Whether this refresh token could be spent now. */
  isRedeemable(refreshToken: string): boolean {
    return this.#grants.get(refreshToken)?.spent === false
  }

  /** Every token given out. */
  secrets(): string[] {
    return [...this.#grants.keys(), ...this.#accessTokens]
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #issue(account: string, lifetimeMs: number) {
    const claims = {
      'https://api.openai.com/auth': {
        chatgpt_plan_type: 'plus',
        chatgpt_account_id: account,
        // By both ids Codex knows that a refresh is of the same user; else it takes it for a change of user.
        chatgpt_user_id: `user-${account}`,
      },
      email: 'someone@example.com',
      jti: randomUUID(),
    }
    const refreshToken = `rt-${randomBytes(24).toString('hex')}`
    const accessToken = unsignedJwt({ ...claims, exp: Math.floor((this.#now() + lifetimeMs) / 1000) })
    this.#grants.set(refreshToken, { account, spent: false })
    this.#accessTokens.add(accessToken)
    return { id_token: unsignedJwt(claims), access_token: accessToken, refresh_token: refreshToken }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = this.#answer(request, JSON.parse(await text(request)))
    if (this.delayMs > 0) await delay(this.delayMs)
    await this.gate?.pass()
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  #answer(request: IncomingMessage, body: Record<string, unknown>): Answer {
    this.requests.push(body)
    if (request.url !== '/oauth/token' || body.grant_type !== 'refresh_token') return refusal(404, 'not_found')
    const planned = this.#planned.shift()
    if (planned !== undefined) return planned
    const grant = this.#grants.get(String(body.refresh_token))
    if (grant === undefined) return refusal(401, 'refresh_token_invalidated')
    if (grant.spent) {
      this.reuses += 1
      return refusal(401, 'refresh_token_reused')
    }
    grant.spent = true
    return {
      status: 200,
      body: { ...this.#issue(grant.account, this.lifetimeMs), expires_in: 3600, token_type: 'Bearer' },
    }
  }
}

export async function startTokenIssuer(options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
  return await new TokenIssuer(options).listen()
}

function refusal(status: number, code: string): Answer {
  return { status, body: { error: { message: 'Your session has ended.', type: 'invalid_request_error', code } } }
}
