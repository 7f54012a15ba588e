import { ProxyError } from './errors.ts'
import { shorten } from './foreign-text.ts'

/** Names in lower case. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * The error for an answer that something on the way, mostly a CDN or a corporate gateway, gave instead of upstream;
 * undefined for any other. A challenge and a redirect are known by their heads; `isPage` says whether the caller takes it
 * for a web page, which depends on what else it may be.
 */
export function blockedError(status: number, headers: Headers, isPage: boolean): ProxyError | undefined {
  const isBlocked = isPage || headers['cf-mitigated'] !== undefined
  return isBlocked ? pageError(status, headers) : redirectError(status, headers)
}

function pageError(status: number, headers: Headers): ProxyError {
  const message = `Something in front of upstream answered ${status} with a web page${rayOf(headers)}.`
  return new ProxyError('upstream_blocked', message)
}

/** Mostly to where a gateway wants a person to sign in. What follows the path, if anything, is private. */
function redirectError(status: number, { location }: Headers): ProxyError | undefined {
  if (status < 300 || status > 399 || typeof location !== 'string') return undefined
  const place = shorten(location.replace(/[?#].*/, ''), 200)
  const message = `Something in front of upstream answered ${status}, a redirect to ${place}, which the proxy does not follow.`
  return new ProxyError('upstream_blocked', message)
}

/** The id by which the operator of the CDN finds the request. */
export function rayOf(headers: Headers): string {
  const ray = headers['cf-ray']
  return typeof ray === 'string' && /^[\w-]{1,64}$/.test(ray) ? ` (cf-ray ${ray})` : ''
}

/** Whether an answer is a page according to its type, which is case-insensitive (RFC 9110 §8.3.1). */
export function isHtml({ 'content-type': type }: Headers): boolean {
  return /^text\/html/i.test(String(type))
}
