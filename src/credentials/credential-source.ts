import * as nodeFs from 'node:fs'
import { ProxyError } from '../errors.ts'
import { elapsed } from '../system/elapsed.ts'
import { AuthFile, type Files } from './auth-file.ts'
import {
  type CredentialMode,
  type CredentialSource,
  type CredentialStatus,
  type Credentials,
  secretOf,
} from './credentials.ts'
import type { ChatGptLogin, Login } from './login.ts'
import { LoginRefresher } from './login-refresher.ts'
import type { PostToken, RefreshOverrides } from './refresh.ts'
import { TokenMemory } from './token-memory.ts'
import { TokenStore, type Warn } from './token-store.ts'

/** How long a fresh token that upstream refused is not refreshed again, since that would not help. */
const UNHELPFUL_MS = 60_000
/** Other programs write new tokens within milliseconds after they have spent the old one. */
const HEALING_MS = 3000
const UNSAVED = {
  message: 'The refreshed login could not be written to auth.json yet and is kept in memory only.',
  remedy: 'Free some disk space for auth.json, or let the proxy write there; it tries again every second.',
}

type SourceOptions = {
  /** The folder of the Codex CLI. */
  readonly codexHome: string
  readonly mode: CredentialMode
  readonly postToken: PostToken
  readonly overrides: RefreshOverrides
  /** Milliseconds since the epoch, for the expiry of tokens. */
  readonly now: () => number
  readonly warn: Warn
  readonly files?: Files
  /** How long after a refused refresh another program's tokens are awaited, in milliseconds. */
  readonly healingMs?: number
}

/**
 * Credentials of the Codex login: fresh → use · stale → refresh · refused by upstream → what the file holds now, then
 * refreshed ones. See docs/credentials.md.
 */
export function createCredentialSource(options: SourceOptions): CredentialSource {
  return new Source(options)
}

class Source implements CredentialSource {
  readonly #store: TokenStore
  readonly #memory: TokenMemory
  readonly #refresher: LoginRefresher
  readonly #mode: CredentialMode
  readonly #now: () => number
  /** Credentials given out after a 401: if upstream refuses these too, nothing else can be tried. */
  readonly #lastTry = new WeakSet<Credentials>()
  /** The same tokens once more, since they can't be refreshed: upstream may have been wrong (docs/upstream.md 2.4). */
  readonly #onceMore = new WeakMap<Credentials, { readonly login: ChatGptLogin; readonly failure: unknown }>()
  /** What upstream refused although it was fresh from a refresh. */
  #unhelpful: { readonly accessToken: string; readonly at: number } | undefined

  constructor({ codexHome, files = nodeFs, healingMs = HEALING_MS, ...options }: SourceOptions) {
    this.#mode = options.mode
    this.#now = options.now
    this.#store = new TokenStore(new AuthFile(codexHome, files), files, options.mode, options.warn)
    this.#memory = new TokenMemory(options.now)
    const [store, memory] = [this.#store, this.#memory]
    this.#refresher = new LoginRefresher({ ...options, store, memory, healingMs })
  }

  /** What every request costs: one `stat`, two comparisons. */
  ready(): Credentials | undefined {
    try {
      const { login } = this.#store.read()
      const isFresh = login.kind === 'api-key' || (!this.#memory.isStale(login) && this.#memory.isUsable(login))
      return isFresh ? login.credentials : undefined
    } catch {
      // `#freshLogin` reads it again, and says why it can't be read.
      return undefined
    }
  }

  current(): Credentials | Promise<Credentials> {
    return this.ready() ?? this.#freshLogin().then(({ credentials }) => credentials)
  }

  async replace(rejected: Credentials, isFinal = true): Promise<Credentials> {
    if (this.#lastTry.has(rejected)) {
      this.#unhelpful = { accessToken: secretOf(rejected), at: this.#now() }
      throw stillRejected()
    }
    const doubted = this.#onceMore.get(rejected)
    if (doubted !== undefined) {
      if (isFinal) this.#memory.noteRejected(doubted.login)
      throw doubted.failure
    }
    const { login } = await this.#store.readSettled()
    if (secretOf(login.credentials) !== secretOf(rejected)) return await this.current()
    if (login.kind === 'api-key' || this.#isUnhelpful(login)) throw stillRejected()
    return await this.#refreshRejected(login)
  }

  async status(): Promise<CredentialStatus> {
    const file = this.#store.path
    try {
      const { login } = await this.#store.readSettled()
      return login.kind === 'api-key' ? { kind: 'api-key', file } : { file, ...this.#chatgptStatus(login) }
    } catch (error) {
      if (error instanceof ProxyError) return { kind: 'none', file, problem: problemOf(error) }
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#refresher.close()
    await this.#store.saveAtEnd()
  }

  async #freshLogin(): Promise<Login> {
    const { login } = await this.#store.readSettled()
    if (login.kind === 'api-key') return login
    if (this.#memory.isUsable(login))
      return this.#memory.isStale(login) ? await this.#refresher.refreshEarly(login) : login
    const isDue = (current: ChatGptLogin) => this.#memory.isStale(current) || !this.#memory.isUsable(current)
    return await this.#refresher.refresh(login, isDue)
  }

  async #refreshRejected(login: ChatGptLogin): Promise<Credentials> {
    const { accessToken } = login.credentials
    try {
      const isStillTheSame = (current: ChatGptLogin) => current.credentials.accessToken === accessToken
      const refreshed = await this.#refresher.refresh(login, isStillTheSame)
      // A new object, so that it is recognised if it comes back.
      const credentials = { ...refreshed.credentials }
      this.#lastTry.add(credentials)
      return credentials
    } catch (failure) {
      // Otherwise the next request may try again anyhow.
      if (this.#memory.refusalOf(login) === undefined) throw failure
      const credentials = { ...login.credentials }
      this.#onceMore.set(credentials, { login, failure })
      return credentials
    }
  }

  #isUnhelpful(login: ChatGptLogin): boolean {
    if (this.#unhelpful?.accessToken !== login.credentials.accessToken) return false
    return elapsed(this.#unhelpful.at, this.#now()) < UNHELPFUL_MS
  }

  #chatgptStatus(login: ChatGptLogin): Omit<CredentialStatus, 'file'> {
    const obstacle = this.#refresher.obstacleOf(login)
    const failure = this.#memory.failureOf(login)
    const usable = this.#memory.isUsable(login)
    const problem = usable ? undefined : (obstacle ?? (this.#memory.isResting(login) ? failure : undefined))
    const warning = this.#store.hasUnsaved
      ? UNSAVED
      : (this.#memory.refusalOf(login) ?? failure ?? this.#foreseen(obstacle))
    return {
      kind: 'chatgpt',
      ...(login.plan !== undefined && { plan: login.plan }),
      ...(login.expiresAt !== undefined && { expiresAt: login.expiresAt }),
      ...(login.lastRefresh !== undefined && { lastRefresh: login.lastRefresh }),
      ...(problem !== undefined && { problem: problemOf(problem) }),
      ...(problem === undefined && warning !== undefined && { warning: warning.message, remedy: warning.remedy }),
    }
  }

  /** What will prevent a still valid login from being refreshed, unless `read-only` asks for that. */
  #foreseen(obstacle: ProxyError | undefined): ProxyError | undefined {
    return this.#mode === 'read-write' && obstacle?.code === 'login_stale' ? obstacle : undefined
  }
}

function stillRejected(): ProxyError {
  return new ProxyError('upstream_rejected_credentials', 'Upstream does not accept the credentials in auth.json.')
}

function problemOf({ code, message, remedy }: ProxyError): NonNullable<CredentialStatus['problem']> {
  return { code, message, remedy }
}
