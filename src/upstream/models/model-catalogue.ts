import { Cancellation } from '../../cancellation.ts'
import type { CatalogueModel } from '../../conversion/request/conversion-context.ts'
import { type Credentials, secretOf } from '../../credentials/credentials.ts'
import { ApiError } from '../../errors.ts'
import type { UpstreamClient } from '../client.ts'
import type { CodexModelsCache } from './codex-models-cache.ts'
import { askForModels, type LiveModels } from './live-models.ts'
import { catalogueModel, type ModelEntry, shownEntries } from './model-entry.ts'

export type ModelList = {
  /** The models to show to clients. */
  readonly models: readonly ModelEntry[]
  /** All models that upstream lists, hidden ones included; shown to Codex, which hides them itself. */
  readonly entries: readonly ModelEntry[]
  /**
   * `live`: upstream lists them now; `stale`: it listed them earlier; `codex-cache`: only an installed Codex cached
   * them.
   */
  readonly source: 'live' | 'stale' | 'codex-cache'
  /** Upstream's own, which its other answers name. */
  readonly etag: string | undefined
}

type Parts = {
  readonly send: UpstreamClient['send']
  readonly credentials: () => Promise<Credentials>
  readonly clientVersion: () => string
  readonly codexCache: () => CodexModelsCache
  /**
   * Milliseconds of a clock that is never adjusted: if it were set back, a list would stay fresh until it caught up.
   */
  readonly now: () => number
}

/** As long as Codex itself considers a list fresh. */
const FRESH_MS = 300_000
/** A list older than this is shown only if no newer one is available. */
const LONGEST_STALE_MS = 24 * 3_600_000
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 300_000

type Known = LiveModels & {
  readonly account: string
  readonly version: string
  readonly fetchedAt: number
  readonly forConversion: readonly CatalogueModel[]
}

type Failure = {
  readonly account: string
  readonly error: unknown
  readonly count: number
  readonly retryAt: number
  /** A token that got a 401: using it again would refresh the login once more (docs/upstream.md 11). */
  readonly rejectedToken: string | undefined
}

/** The models of the account: fetched live, kept in memory, never made up. */
export class ModelCatalogue {
  readonly #parts: Parts
  #known: Known | undefined
  #failure: Failure | undefined
  #asking: { readonly account: string; readonly done: Promise<Known> } | undefined
  /** Models that were refused although they are listed; hidden until they answer, or the catalogue changes (case 199). */
  readonly #forgotten = new Set<string>()
  #noticedEtag: string | undefined
  readonly #stopping = new Cancellation()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The models of the account. Rejects with the reason if nothing at all is known. */
  async list(): Promise<ModelList> {
    const credentials = await this.#parts.credentials()
    const known = this.#known?.account === accountOf(credentials) ? this.#known : undefined
    if (known !== undefined && this.#isFresh(known)) return this.#shown(known, 'live')
    if (known !== undefined && this.#parts.now() - known.fetchedAt < LONGEST_STALE_MS) {
      this.#revalidate()
      return this.#shown(known, 'stale')
    }
    const fallback = known === undefined ? this.#notedByCodex() : this.#shown(known, 'stale')
    if (fallback !== undefined && this.#isPausing(credentials)) return fallback
    try {
      return this.#shown(await this.#refresh(credentials), 'live')
    } catch (error) {
      if (fallback !== undefined) return fallback
      throw error
    }
  }

  /**
   * The models known now, hidden ones included, for conversion. Fetches the list again in the background if it is old.
   */
  peek(): readonly CatalogueModel[] {
    const known = this.#known
    if (known === undefined || this.#parts.now() - known.fetchedAt >= FRESH_MS) this.#revalidate()
    return known?.forConversion ?? this.#parts.codexCache().models.map(catalogueModel)
  }

  /**
   * For what can't be converted without a list: resolves once the first one is known, or can't be had. Undefined if a
   * list is known already, however old, or could not be had before: an upstream without one must not delay every request.
   */
  firstList(): Promise<void> | undefined {
    if (this.#known !== undefined || this.#failure !== undefined) return undefined
    if (this.#parts.codexCache().models.length > 0) return undefined
    return this.#refreshUnlessPausing().catch(() => {})
  }

  /** Upstream refused this model to the account. Unlisted names are not kept: clients may send any number of them. */
  forget(id: string): void {
    const listed = this.#known?.entries ?? this.#parts.codexCache().models
    if (listed.some(({ slug }) => slug === id)) this.#forgotten.add(id)
  }

  /** The model has answered. Upstream has denied models for some hours by mistake (docs/upstream.md 5.3). */
  remember(id: string): void {
    this.#forgotten.delete(id)
  }

  /** `X-Models-Etag` of any answer; a new one means that the list has changed (docs/upstream.md 4.7). */
  noticeEtag(etag: string): void {
    if (etag === this.#noticedEtag) return
    this.#noticedEtag = etag
    if (this.#known === undefined || this.#known.etag === etag) return
    this.#known = { ...this.#known, fetchedAt: this.#known.fetchedAt - FRESH_MS }
    this.#revalidate()
  }

  /** Before the program ends: nobody waits for a list any more. */
  close(): void {
    this.#stopping.cancel(new Error('The proxy is stopping.'))
  }

  #isFresh({ fetchedAt, version }: Known): boolean {
    return this.#parts.now() - fetchedAt < FRESH_MS && version === this.#parts.clientVersion()
  }

  #shown({ entries, etag }: LiveModels, source: ModelList['source']): ModelList {
    const models = shownEntries(entries).filter(({ slug }) => !this.#forgotten.has(slug))
    return { models, entries, source, etag }
  }

  #notedByCodex(): ModelList | undefined {
    const noted = this.#shown({ entries: this.#parts.codexCache().models, etag: undefined }, 'codex-cache')
    return noted.models.length > 0 ? noted : undefined
  }

  /** Fetches the list again in the background. Never fails: what is already known will do. */
  #revalidate(): void {
    this.#refreshUnlessPausing().catch(() => {})
  }

  async #refreshUnlessPausing(): Promise<void> {
    const credentials = await this.#parts.credentials()
    if (!this.#isPausing(credentials)) await this.#refresh(credentials)
  }

  #isPausing(credentials: Credentials): boolean {
    const failure = this.#failureOf(credentials)
    return failure !== undefined && this.#parts.now() < failure.retryAt
  }

  #failureOf(credentials: Credentials): Failure | undefined {
    return this.#failure?.account === accountOf(credentials) ? this.#failure : undefined
  }

  /** One request at a time, whoever asks. */
  async #refresh(credentials: Credentials): Promise<Known> {
    const account = accountOf(credentials)
    const failure = this.#failureOf(credentials)
    if (failure !== undefined && failure.rejectedToken === secretOf(credentials)) throw failure.error
    if (this.#asking?.account === account) return await this.#asking.done
    const asking = { account, done: this.#fetch(credentials) }
    this.#asking = asking
    try {
      return await asking.done
    } finally {
      if (this.#asking === asking) this.#asking = undefined
    }
  }

  async #fetch(credentials: Credentials): Promise<Known> {
    const account = accountOf(credentials)
    const version = this.#parts.clientVersion()
    try {
      const live = await askForModels(
        (request, cancellation) => this.#parts.send(request, credentials, cancellation),
        version,
        this.#stopping,
      )
      return this.#learn({ ...live, account, version })
    } catch (error) {
      this.#failure = await this.#failed(credentials, error)
      throw error
    }
  }

  #learn(live: LiveModels & { account: string; version: string }): Known {
    if (live.account !== this.#known?.account || live.etag !== this.#known.etag) this.#forgotten.clear()
    const known = { ...live, fetchedAt: this.#parts.now(), forConversion: live.entries.map(catalogueModel) }
    this.#known = known
    this.#failure = undefined
    return known
  }

  async #failed(credentials: Credentials, error: unknown): Promise<Failure> {
    const count = (this.#failureOf(credentials)?.count ?? 0) + 1
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (count - 1), LONGEST_PAUSE_MS)
    const rejected = error instanceof ApiError && error.status === 401
    // `send` has refreshed the login meanwhile, so the token that was rejected last is the current one.
    const current = rejected ? await this.#parts.credentials().catch(() => credentials) : undefined
    return {
      account: accountOf(credentials),
      error,
      count,
      retryAt: this.#parts.now() + pause,
      rejectedToken: current && secretOf(current),
    }
  }
}

function accountOf(credentials: Credentials): string {
  return credentials.kind === 'chatgpt' ? (credentials.accountId ?? 'chatgpt') : 'api-key'
}
