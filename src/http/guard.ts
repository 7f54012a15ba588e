import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { isLoopbackHost } from '../config/endpoint.ts'
import { ProxyError } from '../errors.ts'
import { ipv6Name, requestAddress } from './request-address.ts'

export type GuardSettings = {
  /** The bound address and further names to answer to, in lower case; loopback names are always among them. */
  readonly hosts: readonly string[]
  /** Web origins whose pages may call. */
  readonly origins: readonly string[]
  readonly clientKey: string | undefined
}

type Verdict = {
  /** For every answer to this request. */
  readonly corsHeaders: Readonly<Record<string, string>>
  /** True if the client sent the client key, or none is required. Only a probe is answered otherwise. */
  readonly authenticated: boolean
  /** A browser asks whether a page of an allowed origin may call: the answer is 204 with `corsHeaders`, nothing more. */
  readonly preflight: boolean
}

export type Guard = {
  /** Throws `host_not_allowed`, `origin_not_allowed` or `client_key_invalid`. A probe needs no client key. */
  check(request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>, what: { readonly probe: boolean }): Verdict
}

/** Who may ask: decided by what browsers can't forge (`Host`, `Origin`, `Sec-Fetch-Site`) and by the client key. */
export function createGuard({ hosts, origins, clientKey }: GuardSettings): Guard {
  const isHostAllowed = hostAllowList(hosts)
  const allowedOrigins = new Set(origins)
  const isKey = clientKey === undefined ? () => true : keyTest(clientKey)
  const noOrigin = allowedOrigins.size === 0 ? {} : { vary: 'Origin' }

  function checkHost(request: Pick<IncomingMessage, 'url' | 'headers'>, probe: boolean): string | undefined {
    const address = requestAddress(request)
    // The health checks of many load balancers send no host (HTTP/1.0, RFC 9112 §3.2); browsers always do.
    if (probe && address === undefined && request.headers.host === undefined) return undefined
    if (address === undefined) throw new ProxyError('host_not_allowed', 'The request has no usable `Host`.')
    if (isHostAllowed(address.name)) return address.authority
    // The name comes from the client, but it has been reduced to letters, digits, dots and dashes.
    throw new ProxyError('host_not_allowed', `The proxy does not answer to the host ${address.name.slice(0, 100)}.`)
  }

  /**
   * The origin of a page that may read the answer; undefined for the proxy's own pages and for clients that are not
   * pages.
   */
  function checkOrigin(headers: IncomingHttpHeaders, authority: string | undefined): string | undefined {
    const { origin } = headers
    if (origin !== undefined && allowedOrigins.has(origin)) return origin
    if (origin !== undefined && !isOwnOrigin(origin, authority)) {
      throw foreignOrigin(origin)
    }
    const site = headers['sec-fetch-site']
    if (site === undefined || site === 'same-origin' || site === 'none') return undefined
    if (origin !== undefined || !isWithoutWebSecurity(headers)) {
      throw new ProxyError('origin_not_allowed', 'The request comes from a page of another site.')
    }
    if (allowedOrigins.has(FILES)) return undefined
    const message = `The request comes from a page that sends no origin. Desktop apps do that: allow them as ${FILES}.`
    throw new ProxyError('origin_not_allowed', message)
  }

  return {
    check(request, { probe }) {
      const authority = checkHost(request, probe)
      const origin = checkOrigin(request.headers, authority)
      const preflight = origin !== undefined && isPreflight(request)
      if (preflight) return { corsHeaders: preflightHeaders(origin, request.headers), authenticated: false, preflight }
      const corsHeaders = origin === undefined ? noOrigin : corsHeadersFor(origin)
      const authenticated = isKey(request.headers)
      if (!authenticated && !probe) throw keyInvalid(request.headers, corsHeaders)
      return { corsHeaders, authenticated, preflight }
    },
  }
}

/**
 * DNS rebinding makes a browser send a foreign *name* here. A literal address can't be rebound, so a proxy that listens
 * on every address of the machine accepts all of them, also behind a mapped port.
 */
function hostAllowList(hosts: readonly string[]): (name: string) => boolean {
  const names = new Set(hosts.map((host) => ipv6Name(host) ?? host))
  const anyAddress = names.has('0.0.0.0') || names.has('::')
  return (name) => names.has(name) || isLoopbackHost(name) || (anyAddress && isIP(name) !== 0)
}

/** The scheme does not matter: a port serves only one, and TLS may end at another proxy in front of us. */
function isOwnOrigin(origin: string, authority: string | undefined): boolean {
  if (authority === undefined) return false
  return origin === `http://${authority}` || origin === `https://${authority}`
}

/** The origin of Electron apps whose pages are files. In a browser, files have the origin `null`. */
const FILES = 'file://'

/**
 * Apps such as Chatbox turn off web security for their pages: Chromium then sends no origin, only the mode and the
 * site. A browser always sends one in this mode (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
 */
function isWithoutWebSecurity(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-mode'] === 'cors' && headers['sec-fetch-site'] === 'cross-site'
}

/** An origin as browsers write it; nothing else that a client sends gets into messages and the log. */
const NAMED_ORIGIN = /^(?:null|file:\/\/|[a-z][a-z0-9+.-]{0,30}:\/\/[a-z0-9.:_[\]-]{1,100})$/i

/**
 * The origin is named, since few know which one a desktop app or a browser extension has, and `--allow-origin` needs
 * it.
 */
function foreignOrigin(origin: string): ProxyError {
  const name = NAMED_ORIGIN.test(origin) ? `: ${origin}` : ''
  return new ProxyError('origin_not_allowed', `The request comes from a page of another origin${name}.`)
}

function isPreflight({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}

/** https://fetch.spec.whatwg.org/#http-responses; never with credentials of the browser. */
function corsHeadersFor(origin: string): Record<string, string> {
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': '*', vary: 'Origin' }
}

const PREFLIGHT_SECONDS = 600

function preflightHeaders(origin: string, headers: IncomingHttpHeaders): Record<string, string> {
  const asked = headers['access-control-request-headers']
  const fromPublicNetwork = headers['access-control-request-private-network'] === 'true'
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    ...(asked !== undefined && /^[\w!#$%&'*+.^`|~, -]+$/.test(asked) && { 'access-control-allow-headers': asked }),
    // https://wicg.github.io/private-network-access/#headers
    ...(fromPublicNetwork && { 'access-control-allow-private-network': 'true' }),
    'access-control-max-age': String(PREFLIGHT_SECONDS),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Private-Network',
  }
}

/** Compares digests, so that the time taken reveals neither the key nor its length. */
function keyTest(clientKey: string): (headers: IncomingHttpHeaders) => boolean {
  const expected = digest(clientKey)
  const matches = (given: string | undefined) => given !== undefined && timingSafeEqual(digest(given), expected)
  return (headers) => matches(bearerToken(headers)) || matches(xApiKey(headers))
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

function bearerToken({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1]
}

function xApiKey(headers: IncomingHttpHeaders): string | undefined {
  return headers['x-api-key']?.toString()
}

/** The CORS headers let an allowed page read why it was refused. */
function keyInvalid(headers: IncomingHttpHeaders, corsHeaders: Readonly<Record<string, string>>): ProxyError {
  const sent = bearerToken(headers) !== undefined || xApiKey(headers) !== undefined
  const message = sent ? 'The client key is wrong.' : 'The request has no client key.'
  // RFC 9110 §15.5.2 asks for the challenge.
  return new ProxyError('client_key_invalid', message, { headers: { ...corsHeaders, 'www-authenticate': 'Bearer' } })
}
