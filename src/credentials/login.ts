import { ProxyError } from '../errors.ts'
import { isObject, type JsonObject, objectOf, parseJson, textOf, timeOf } from '../json-object.ts'
import { accountClaims, claimsOf, expiresAt, staleAt } from './access-token.ts'
import type { ApiKeyCredentials, ChatGptCredentials } from './credentials.ts'
import { headerText } from './header-text.ts'

/** The prefix of account ids of the API, which are not ChatGPT workspaces (docs/upstream.md 11). */
const API_ORGANISATION = 'org-'
/** The region in most tokens: none in particular. */
const ANY_REGION = 'no_constraint'

/** What auth.json holds, with what is needed to refresh it. */
export type Login = ApiKeyLogin | ChatGptLogin

type ApiKeyLogin = { readonly kind: 'api-key'; readonly credentials: ApiKeyCredentials }

/** Times in milliseconds since the epoch. */
export type ChatGptLogin = {
  readonly kind: 'chatgpt'
  readonly credentials: ChatGptCredentials
  /** Absent when the login can't be refreshed by us. */
  readonly refreshToken: string | undefined
  readonly plan: string | undefined
  /** `undefined` for an access token without readable expiry. */
  readonly expiresAt: number | undefined
  readonly lastRefresh: number | undefined
  /** When the tokens should be refreshed; Infinity if unknown. */
  readonly staleAt: number
  /** Who issued the tokens, if the file says so (`oauth_provenance`). */
  readonly issuer: string | undefined
  readonly clientId: string | undefined
}

export type StoredLogin = { readonly content: JsonObject; readonly login: Login }
/** `json` is the text of `content`. */
export type WrittenLogin = StoredLogin & { readonly json: string }

/**
 * The login in the text of an auth.json (docs/upstream.md 1.2–1.4): `auth_mode` decides, else the first of personal
 * access token, API key and tokens that is present. Throws a ProxyError that says what is wrong, without any of the
 * content.
 */
export function parseLogin(text: string): WrittenLogin {
  // Codex refuses a byte order mark, but some editors add one, and it does no harm.
  const json = text.replace(/^\uFEFF/, '')
  if (json.trim() === '') throw malformed('is empty')
  const content = parseJson(json)
  if (content === undefined) throw malformed('is not valid JSON')
  if (!isObject(content)) throw malformed('is not a JSON object')
  return { json, content, login: loginOf(content) }
}

/** The same for content that was already parsed, or made by `withTokens`. */
export function loginOf(content: JsonObject): Login {
  switch (modeOf(content)) {
    case 'apikey':
      return apiKeyLogin(content)
    case 'chatgpt':
      return chatgptLogin(content)
    case 'chatgptAuthTokens':
      // The program that put them there refreshes them: it has the refresh token.
      return { ...chatgptLogin(content), refreshToken: undefined }
    case 'personalAccessToken':
      return personalLogin(content)
    case 'agentIdentity':
      throw unsupported('holds an agent identity, whose requests only Codex can sign.')
    case 'bedrockApiKey':
    case 'bedrockAccessKeys':
      throw unsupported('holds credentials for Amazon Bedrock, not for OpenAI.')
    case 'none':
      throw malformed('holds neither tokens nor an API key')
    default:
      throw unsupported('has an `auth_mode` that this version does not know.')
  }
}

function modeOf(content: JsonObject): unknown {
  const has = (name: string) => content[name] !== undefined && content[name] !== null && content[name] !== ''
  if (has('auth_mode')) return content.auth_mode
  if (has('personal_access_token')) return 'personalAccessToken'
  if (has('OPENAI_API_KEY')) return 'apikey'
  if (has('tokens')) return 'chatgpt'
  if (has('bedrock_api_key') || has('bedrock_access_keys')) return 'bedrockApiKey'
  return has('agent_identity') ? 'agentIdentity' : 'none'
}

function apiKeyLogin(content: JsonObject): ApiKeyLogin {
  const key = content.OPENAI_API_KEY
  const apiKey = headerText(typeof key === 'string' ? key.trim() : key)
  if (apiKey === undefined) throw malformed('is for an API key, but holds no usable one')
  return { kind: 'api-key', credentials: { kind: 'api-key', apiKey } }
}

function chatgptLogin(content: JsonObject): ChatGptLogin {
  const tokens = objectOf(content.tokens)
  const accessToken = headerText(tokens.access_token)
  if (accessToken === undefined) throw malformed('is for a ChatGPT login, but holds no usable access token')
  const claims = claimsOf(accessToken)
  const known = [claimsOf(headerText(tokens.id_token) ?? ''), claims].map(accountClaims)
  const provenance = objectOf(tokens.oauth_provenance)
  const login = {
    kind: 'chatgpt' as const,
    credentials: {
      kind: 'chatgpt' as const,
      accessToken,
      accountId: accountIdOf([tokens.account_id, ...known.map((account) => account.chatgpt_account_id)]),
      fedramp: known.some((account) => account.chatgpt_account_is_fedramp === true),
      residency: residencyOf(accountClaims(claims)),
    },
    refreshToken: textOf(tokens.refresh_token),
    plan: known.map((account) => headerText(account.chatgpt_plan_type)).find((plan) => plan !== undefined),
    expiresAt: expiresAt(claims),
    lastRefresh: timeOf(content.last_refresh),
    issuer: textOf(provenance.issuer),
    clientId: textOf(provenance.client_id),
  }
  return { ...login, staleAt: staleAt(login.expiresAt, login.lastRefresh) }
}

/**
 * A personal access token is sent to ChatGPT unchanged. Codex first asks the issuer for the account; that call isn't
 * made here, so no account is named and upstream uses the token's own.
 */
function personalLogin(content: JsonObject): ChatGptLogin {
  const accessToken = headerText(content.personal_access_token)
  if (accessToken === undefined) throw malformed('is for a personal access token, but holds no usable one')
  return {
    kind: 'chatgpt',
    credentials: { kind: 'chatgpt', accessToken, accountId: undefined, fedramp: false },
    refreshToken: undefined,
    plan: undefined,
    expiresAt: undefined,
    lastRefresh: undefined,
    staleAt: Number.POSITIVE_INFINITY,
    issuer: undefined,
    clientId: undefined,
  }
}

function accountIdOf(candidates: readonly unknown[]): string | undefined {
  return candidates.map(headerText).find((id) => id !== undefined && !id.startsWith(API_ORGANISATION))
}

/** Where requests are served takes precedence over where data is stored. */
function residencyOf(account: JsonObject): string | undefined {
  const claims = [account.chatgpt_compute_residency, account.chatgpt_data_residency]
  const region = claims.map(headerText).find((claim) => claim !== undefined)
  return region === ANY_REGION ? undefined : region
}

function malformed(what: string): ProxyError {
  return new ProxyError('credentials_malformed', `Codex's auth.json ${what}.`)
}

function unsupported(what: string): ProxyError {
  return new ProxyError('credentials_unsupported', `Codex's auth.json ${what}`)
}
