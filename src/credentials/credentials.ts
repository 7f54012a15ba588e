import type { ProxyError } from '../errors.ts'

/** What auth.json can hold. `kind` decides which upstream is used; see `upstream/target.ts`. */
export type Credentials = ApiKeyCredentials | ChatGptCredentials

export type ApiKeyCredentials = { readonly kind: 'api-key'; readonly apiKey: string }

export type ChatGptCredentials = {
  readonly kind: 'chatgpt'
  readonly accessToken: string
  /** The ChatGPT account (a UUID); absent in some files, then no account header is sent. */
  readonly accountId: string | undefined
  /** FedRAMP accounts need a header of their own (docs/upstream.md 3). */
  readonly fedramp: boolean
  /** The region that a workspace is bound to; upstream must be told (docs/upstream.md 3). */
  readonly residency?: string | undefined
}

/** What distinguishes one set of credentials from another. */
export function secretOf(credentials: Credentials): string {
  return credentials.kind === 'api-key' ? credentials.apiKey : credentials.accessToken
}

/** `read-only` never spends a refresh token and writes nothing. */
export type CredentialMode = 'read-write' | 'read-only'

/** What `/health` and `status` may show of the credentials: never a secret. Times in milliseconds since the epoch. */
export type CredentialStatus = {
  readonly kind: Credentials['kind'] | 'none'
  readonly file: string
  readonly plan?: string
  readonly expiresAt?: number
  readonly lastRefresh?: number
  /** Set when requests would fail now. */
  readonly problem?: Pick<ProxyError, 'code' | 'message' | 'remedy'>
  /** What failed last while requests still work, e.g. an early refresh. */
  readonly warning?: string
  /** What to do about the warning. */
  readonly remedy?: string
}

export type CredentialSource = {
  /**
   * The credentials to send now: reloaded if the file changed, refreshed if stale. Returned at once if there is nothing
   * to wait for, as for nearly every request; otherwise a promise, which rejects with a ProxyError (401, 503) if there
   * are none.
   */
  current(): Credentials | Promise<Credentials>
  /** What `current` would return at once; undefined if there is something to wait for. Never refreshes. */
  ready(): Credentials | undefined
  /**
   * After upstream answered 401 to `rejected`: first what the file holds now, if that differs; called again with that,
   * refreshed ones. Throws a ProxyError if nothing else can be tried; tokens that can't be refreshed then count as
   * unusable, unless `isFinal` is false.
   */
  replace(rejected: Credentials, isFinal?: boolean): Promise<Credentials>
  /** Reads the file, never refreshes, never throws. */
  status(): Promise<CredentialStatus>
  /** Before the program ends: waits for a refresh in progress, and writes tokens that exist only in memory. */
  close(): Promise<void>
}
