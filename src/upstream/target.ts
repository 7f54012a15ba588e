import { arch, platform, release } from 'node:os'
import type { Config } from '../config/options.ts'
import type { CredentialStatus, Credentials } from '../credentials/credentials.ts'
import { packageVersion } from '../version.ts'

/** Where requests go for one kind of credentials, and the headers that carry credentials and identity. */
export type Target = {
  readonly url: URL
  /** Cached, since URL would build it again for each request. */
  readonly origin: string
  /** Path of the base URL, without a slash at its end. */
  readonly basePath: string
  readonly headers: HeaderList
}

/** Names alternating with values: the form that costs undici the least work. */
type HeaderList = readonly string[]

/** Our own name: upstream never gets another client's. */
const ORIGINATOR = 'codex-api-proxy'

/** In the form that Codex uses (docs/upstream.md 4.2): the CDN refuses the names of plain HTTP libraries. */
export function userAgent(): string {
  return `${ORIGINATOR}/${packageVersion()} (${platform()} ${release()}; ${arch()})`
}

/** The headers that identify us to upstream. */
export function identityHeaders() {
  return { originator: ORIGINATOR, 'user-agent': userAgent() }
}

/**
 * Clients without this header accept any encoding (RFC 9110 §12.5.3), and a CDN has sent gzip unasked (docs/upstream.md
 * 4.2). Here answers are read as they arrive.
 */
export const NOT_ENCODED = { 'accept-encoding': 'identity' } as const

type BaseUrls = Pick<Config, 'chatgptBaseUrl' | 'openaiBaseUrl'>

/** Where requests with such credentials go, or would go with a login. */
export function baseUrlFor(kind: CredentialStatus['kind'], { chatgptBaseUrl, openaiBaseUrl }: BaseUrls): string {
  return kind === 'api-key' ? openaiBaseUrl : chatgptBaseUrl
}

/** `clientVersion`: the Codex version sent upstream, which gates models (docs/upstream.md 4.2). */
export function createTargets(baseUrls: BaseUrls, clientVersion: () => string): (credentials: Credentials) => Target {
  const chatgpt = splitUrl(baseUrls.chatgptBaseUrl)
  const openai = splitUrl(baseUrls.openaiBaseUrl)
  /** The last target: nearly all requests use the same login. */
  let last: { readonly credentials: Credentials; readonly version: string; readonly target: Target } | undefined

  return (credentials) => {
    const version = clientVersion()
    if (last?.credentials !== credentials || last.version !== version) {
      last = { credentials, version, target: targetOf(credentials, version) }
    }
    return last.target
  }

  function targetOf(credentials: Credentials, version: string): Target {
    switch (credentials.kind) {
      case 'api-key':
        return { ...openai, headers: ['authorization', `Bearer ${credentials.apiKey}`] }
      case 'chatgpt':
        return {
          ...chatgpt,
          headers: headerList({
            authorization: `Bearer ${credentials.accessToken}`,
            ...(credentials.accountId !== undefined && { 'chatgpt-account-id': credentials.accountId }),
            ...(credentials.fedramp && { 'x-openai-fedramp': 'true' }),
            ...(credentials.residency !== undefined && { 'x-openai-internal-codex-residency': credentials.residency }),
            ...identityHeaders(),
            version,
            ...NOT_ENCODED,
          }),
        }
    }
  }
}

/** The headers of a request, then those of its target. */
export function headerList(headers: Readonly<Record<string, string>>, target: HeaderList = []): string[] {
  const list: string[] = []
  for (const name in headers) list.push(name, headers[name] ?? '')
  list.push(...target)
  return list
}

function splitUrl(baseUrl: string): Omit<Target, 'headers'> {
  const url = new URL(baseUrl)
  return { url, origin: url.origin, basePath: url.pathname.replace(/\/$/, '') }
}
