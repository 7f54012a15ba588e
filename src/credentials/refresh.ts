import { ProxyError } from '../errors.ts'
import { isObject, type JsonObject, objectOf, parseJson, textOf } from '../json-object.ts'
import { headerText } from './header-text.ts'
import type { ChatGptLogin } from './login.ts'

/** The client id of Codex, which the refresh tokens of its logins are bound to (docs/upstream.md 2.1). */
const CODEX_CLIENT_ID = 'app_EMoamEEZ73f0CkXaXp7hrann'
const DEFAULT_ISSUER = 'https://auth.openai.com'

/**
 * Posts JSON once and resolves with whatever comes back; rejects if nothing does. It has its own time limit and uses
 * the outbound proxy.
 */
export type PostToken = (url: string, body: object) => Promise<{ status: number; body: string }>

/** What Codex's own variables change about a refresh. */
export type RefreshOverrides = {
  /** CODEX_REFRESH_TOKEN_URL_OVERRIDE */
  readonly refreshUrl?: string | undefined
  /** CODEX_APP_SERVER_LOGIN_CLIENT_ID */
  readonly clientId?: string | undefined
}

/**
 * The tokens of a response, by their names in auth.json; each may be missing, then the stored one stays
 * (docs/upstream.md 2.2).
 */
export type NewTokens = {
  readonly id_token?: string
  readonly access_token?: string
  readonly refresh_token?: string
}

/** One refresh token, with everything needed to spend it. */
export type Grant = { readonly url: string; readonly clientId: string; readonly refreshToken: string }

/**
 * `refused`: these tokens will never be refreshed. `failed`: they might be later. `error` says why, without any of the
 * response.
 */
type RefreshOutcome =
  | { readonly kind: 'refreshed'; readonly tokens: NewTokens }
  | { readonly kind: 'refused'; readonly error: ProxyError }
  /** `limited`: the issuer wants to be asked less often. */
  | { readonly kind: 'failed'; readonly error: ProxyError; readonly limited?: boolean }

/**
 * Spends a refresh token. The token is single-use, so nothing is retried here: a request whose response was lost may
 * have spent it.
 */
export async function askIssuer(grant: Grant, postToken: PostToken): Promise<RefreshOutcome> {
  const body = { client_id: grant.clientId, grant_type: 'refresh_token', refresh_token: grant.refreshToken }
  try {
    return outcomeOf(await postToken(grant.url, body))
  } catch (error) {
    // A ProxyError of the transport is meant to be shown: it names the outbound proxy or the host, and no content.
    const reason = error instanceof ProxyError ? error.message : 'The token endpoint could not be reached.'
    return { kind: 'failed', error: failed(reason, error) }
  }
}

/** Which token to spend, and where (docs/upstream.md 2.1). Throws a ProxyError when this login can't be refreshed at all. */
export function grantOf(login: ChatGptLogin, overrides: RefreshOverrides): Grant {
  const { refreshToken } = login
  if (refreshToken === undefined) {
    throw new ProxyError('login_expired', 'The login has expired, and auth.json has no refresh token.')
  }
  const clientId = login.clientId ?? overrides.clientId ?? CODEX_CLIENT_ID
  const issuer = (login.issuer ?? DEFAULT_ISSUER).replace(/\/+$/, '')
  const url = overrides.refreshUrl ?? `${issuer}/oauth/token`
  if (overrides.refreshUrl === undefined && !isTrusted(issuer)) throw untrustedIssuer()
  return { url, clientId, refreshToken }
}

/** OpenAI's own hosts over TLS; loopback for tests. */
function isTrusted(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false
  const { protocol, hostname, username, search, hash } = new URL(issuer)
  if (username !== '' || search !== '' || hash !== '') return false
  if (['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return protocol === 'http:' || protocol === 'https:'
  return protocol === 'https:' && (hostname === 'openai.com' || hostname.endsWith('.openai.com'))
}

/** The table of docs/upstream.md 2.5. */
function outcomeOf({ status, body }: { status: number; body: string }): RefreshOutcome {
  const answer = parseJson(body)
  if (status >= 200 && status < 300) {
    if (isObject(answer)) return { kind: 'refreshed', tokens: tokensIn(answer) }
    return { kind: 'failed', error: failed('The token endpoint did not answer with JSON.') }
  }
  const refusal = refusalOf(status, errorCode(objectOf(answer)))
  if (refusal !== undefined) return { kind: 'refused', error: new ProxyError('login_expired', refusal) }
  const error = failed(`The token endpoint answered HTTP ${status}${hintAt(status, answer)}`)
  return { kind: 'failed', error, limited: status === 429 }
}

/** A 403 is about the network, not the login (docs/upstream.md 2.5); without JSON it comes from the CDN. */
function hintAt(status: number, answer: unknown): string {
  if (status === 429) return ': too many requests. It is asked again after half a minute.'
  if (status !== 403) return '.'
  if (answer === undefined) return ': something in front of it refuses this network.'
  const isCountry = errorCode(objectOf(answer)) === 'unsupported_country_region_territory'
  return isCountry ? ': it does not serve the country of this network.' : '.'
}

/**
 * Why the refresh token is permanently useless, or `undefined` if the response doesn't say so. The codes count with any
 * 4xx, since the issuer has sent them with 400 as well as 401.
 */
function refusalOf(status: number, code: unknown): string | undefined {
  if (status < 400 || status >= 500) return undefined
  switch (code) {
    case 'refresh_token_expired':
      return 'The login can no longer be refreshed: its refresh token has expired.'
    case 'refresh_token_reused':
      return 'The login can no longer be refreshed: its refresh token was already used, possibly by a copy of auth.json.'
    case 'refresh_token_invalidated':
      return 'The login can no longer be refreshed: its refresh token was revoked.'
  }
  if (status !== 401 && !(status === 400 && code === 'invalid_grant')) return undefined
  return `The login can no longer be refreshed: the token endpoint refused its refresh token (HTTP ${status}).`
}

function errorCode(answer: JsonObject): unknown {
  return objectOf(answer.error).code ?? (typeof answer.error === 'string' ? answer.error : answer.code)
}

/**
 * The tokens of a response, or of a file. A refresh token is never put into a header, so it is taken exactly as the
 * issuer gave it: it is the only one.
 */
export function tokensIn(holder: JsonObject): NewTokens {
  const tokens = {
    id_token: headerText(holder.id_token),
    access_token: headerText(holder.access_token),
    refresh_token: textOf(holder.refresh_token),
  }
  return Object.fromEntries(Object.entries(tokens).filter(([, token]) => token !== undefined))
}

function failed(reason: string, cause?: unknown): ProxyError {
  return new ProxyError('refresh_failed', `The login could not be refreshed. ${reason}`, { cause })
}

function untrustedIssuer(): ProxyError {
  return new ProxyError(
    'credentials_unsupported',
    "Codex's auth.json names a token issuer other than OpenAI, and the proxy sends no refresh token there.",
  )
}
