import { isIP } from 'node:net'
import { isLoopbackHost, withoutBrackets } from './endpoint.ts'
import { UsageError } from './usage-error.ts'

export function text(given: string): string {
  if (given.trim() !== '') return given
  throw new UsageError('It must not be empty.')
}

export function toggle(given: string): boolean {
  if (['1', 'true', 'yes', 'on'].includes(given.toLowerCase())) return true
  if (['', '0', 'false', 'no', 'off'].includes(given.toLowerCase())) return false
  throw new UsageError('Use true or false.')
}

/** For a row of the table of settings: what there is to choose from, and the parser of that. */
export function oneOf<const Choice extends string>(...choices: readonly Choice[]) {
  const parse = (given: string): Choice => {
    const found = choices.find((each) => each === given)
    if (found !== undefined) return found
    throw new UsageError(`Allowed choices are ${choices.join(', ')}.`)
  }
  return { choices, parse }
}

export function port(given: string): number {
  const number = Number(given)
  if (/^\d+$/.test(given) && number <= 65_535) return number
  throw new UsageError('A port is a whole number from 0 to 65535.')
}

export function count(given: string): number {
  const number = Number(given)
  if (/^\d+$/.test(given) && Number.isSafeInteger(number)) return number
  throw new UsageError('Use a whole number.')
}

/** For a setting of which there must be at least one. */
export function positiveCount(given: string): number {
  const number = count(given)
  if (number > 0) return number
  throw new UsageError('Use a whole number, 1 or more.')
}

const SIZE_UNITS: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** Bytes: `65536`, `64k`, `32MB`, `1GiB` (powers of 1024). */
export function byteSize(given: string): number {
  const [, number, unit] = /^(\d+)\s*([kmg]?)i?b?$/i.exec(given.trim()) ?? []
  const factor = SIZE_UNITS[unit?.toLowerCase() ?? '']
  const bytes = Number(number) * (factor ?? Number.NaN)
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw new UsageError('Use a size such as 65536, 64k, 32MB or 1GB (above 0).')
}

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }
/** Node's timers overflow above this and fire at once (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args). */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Milliseconds: `1500ms`, `30s`, `10m`, `1h`; a bare number counts seconds. */
export function duration(given: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h)?$/.exec(given.trim()) ?? []
  const milliseconds = Math.round(Number(number) * (DURATION_UNITS[unit ?? 's'] ?? Number.NaN))
  if (milliseconds > 0 && milliseconds <= LONGEST_TIMER_MS) return milliseconds
  throw new UsageError('Use a duration such as 500ms, 30s, 10m or 1h (above 0, at most 24 days).')
}

/**
 * A host name or IP address without port; brackets around IPv6 are taken off. An address gets its usual form: of `0`
 * nobody would know that it is 0.0.0.0.
 */
export function hostName(given: string): string {
  const host = withoutBrackets(given).toLowerCase()
  if (host.includes('%')) throw new UsageError('Use an IP address without a zone (the part after %).')
  const isName = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(host)
  // Clients and our own commands put it into a URL, which can't be done with fe80::1%eth0 or 256.1.1.1.
  const url = isIP(host) === 6 ? parseUrl(`http://[${host}]`) : isName ? parseUrl(`http://${host}`) : undefined
  if (url !== undefined) return withoutBrackets(url.hostname)
  throw new UsageError('Use a host name or an IP address, without scheme, port or path.')
}

/** An origin as browsers send it. `URL` has no origin for files, extensions and app shells (`chrome-extension://…`). */
export function origin(given: string): string {
  if (/^file:\/\/\/?$/i.test(given)) return 'file://'
  const url = parseUrl(given)
  if (url !== undefined && url.origin !== 'null' && url.href === `${url.origin}/`) return url.origin
  if (/^(?!file:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+\/?$/i.test(given) && url?.origin === 'null') {
    return given.toLowerCase().replace(/\/$/, '')
  }
  throw new UsageError('Use an origin such as https://app.example.com, without a path.')
}

/** The protocol spoken with an outbound proxy. */
export type ProxyProtocol = 'http' | 'https' | 'socks5'

/** GNOME writes `socks` for SOCKS 5. `socks5h` is the same to us: names are always resolved by the proxy. */
const PROXY_SCHEMES: ReadonlyMap<string, ProxyProtocol> = new Map([
  ['http:', 'http'],
  ['https:', 'https'],
  ['socks5:', 'socks5'],
  ['socks5h:', 'socks5'],
  ['socks:', 'socks5'],
])

/** Undefined for the URL of something that is no outbound proxy. */
export function proxyProtocol({ protocol }: URL): ProxyProtocol | undefined {
  return PROXY_SCHEMES.get(protocol)
}

export function outboundProxyUrl(given: string): string {
  if (given === '' || given.toLowerCase() === 'none') return 'none'
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`
  const url = parseUrl(withScheme)
  // These characters end the host: the user name would be taken for the host, and part of the password shown as the
  // port.
  const afterHost =
    url === undefined ? withScheme.slice(withScheme.indexOf('://') + 3) : url.pathname + url.search + url.hash
  if (/[/?#\\].*@/.test(afterHost)) {
    throw new UsageError('Write / ? # and \\ in its user name or password as %2F %3F %23 and %5C.')
  }
  // A port alone would be read as an address: 8118 as 0.0.31.182.
  const isPortAlone = /^\d+$/.test(given)
  // `URL` accepts nearly any character there, even the quotes that some env files keep: "http://…".
  const hasHost = url !== undefined && /^(\[[\da-f:.]+\]|[\w.-]+)$/.test(url.hostname)
  if (hasHost && proxyProtocol(url) !== undefined && !isPortAlone) return withScheme
  throw new UsageError('Use a URL such as http://127.0.0.1:8118, https://… or socks5://…, or `none`.')
}

/** The base URL of an upstream, without a slash at its end. */
export function baseUrl(given: string): string {
  const url = protectedUrl(given)
  if (url !== undefined && url.search === '') return url.href.replace(/\/+$/, '')
  throw new UsageError('Use an https URL, or an http one on loopback, without user, query or fragment.')
}

/** A URL that is used as it is, with its path and query. */
export function credentialUrl(given: string): string {
  const url = protectedUrl(given)
  if (url !== undefined) return url.href
  throw new UsageError('Use an https URL, or an http one on loopback, without user or fragment.')
}

/** A URL that a login may be sent to: over https, or on loopback; it names no user and no fragment. */
function protectedUrl(given: string): URL | undefined {
  const url = parseUrl(given)
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return undefined
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname)) ? url : undefined
}

/** The usual form of a version of Codex; nothing else may go into headers and URLs. */
export const CODEX_VERSION = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/

export function codexVersion(given: string): string {
  if (CODEX_VERSION.test(given)) return given
  throw new UsageError('Use a version of Codex such as 0.169.0.')
}

function parseUrl(given: string): URL | undefined {
  return URL.canParse(given) ? new URL(given) : undefined
}
