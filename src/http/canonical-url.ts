/**
 * A segment of one or two dots. They may be percent-encoded, and so may the slashes around them, which many servers
 * decode first; many take a backslash for a slash, as browsers do.
 */
const DOTS = /(?:[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?=[/\\]|%2f|%5c|$)/i
const ENCODED_SLASH = /%2f|%5c/gi
const API_PATHS = ['/chat/completions', '/responses', '/models']

/** How a path begins when the base URL ended with a slash. */
const DOUBLE_SLASH = /^(\/v1)?\/{2,}/

/**
 * The URL in the form the route table uses. People forget the `/v1` of a base URL, give it twice or end it with a
 * slash; of a proxy-style absolute URL only the path is kept (RFC 9112 §3.2.2), since nothing in a request chooses a
 * host.
 */
export function canonicalUrl(url: string): string {
  const given = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  const path = withoutDots(given).replace(DOUBLE_SLASH, '$1/')
  if (path.startsWith('/v1/')) return path.startsWith('/v1/v1/') ? path.slice(3) : path
  const isApi = API_PATHS.some((known) => path.startsWith(known) && /^[/?]?$/.test(path.charAt(known.length)))
  return isApi ? `/v1${path}` : path || '/'
}

/** Upstream would resolve `..` itself and use the API key for a path outside of its API (RFC 3986 §5.2.4). */
function withoutDots(url: string): string {
  const query = url.search(/[?#]/)
  const path = query === -1 ? url : url.slice(0, query)
  if (!DOTS.test(path)) return url
  // With a host in front, since two leading slashes would otherwise be taken for the beginning of a host.
  return new URL(`http://localhost${path.replace(ENCODED_SLASH, '/')}`).pathname + url.slice(path.length)
}
