import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'

/** The host a request is for: `name` to compare (lower case, IPv6 without brackets), `authority` as sent. */
export type Address = { readonly name: string; readonly authority: string }

/**
 * The address a request was sent to, or undefined if it gives no plausible one. An absolute URL as the request target
 * overrides `Host` (RFC 9112 §3.2.2).
 */
export function requestAddress({ url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>): Address | undefined {
  if (url.startsWith('/') || url === '*') return parseAuthority(headers.host)
  const [, authority] = /^https?:\/\/([^/?#]*)/i.exec(url) ?? []
  return parseAuthority(authority)
}

/** `name`, `name:port`, `1.2.3.4:port`, `[::1]:port`; the port may be empty (RFC 3986 §3.2.3) but not nonsense. */
function parseAuthority(authority: string | undefined): Address | undefined {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d*))?$/.exec(authority ?? '') ?? []
  const name = bracketed === undefined ? plainName(plain) : ipv6Name(bracketed)
  if (authority === undefined || name === undefined || Number(port) > 65_535) return undefined
  return { name, authority: authority.toLowerCase() }
}

function plainName(given: string | undefined): string | undefined {
  // One dot at the end makes a name absolute, it is the same name.
  const name = given?.toLowerCase().replace(/\.$/, '') ?? ''
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name) ? name : undefined
}

/** One spelling for each address: `0:0:0:0:0:0:0:1` and `::1` are the same. */
export function ipv6Name(given: string): string | undefined {
  return isIPv6(given) && !given.includes('%') ? new URL(`http://[${given}]`).hostname.slice(1, -1) : undefined
}
