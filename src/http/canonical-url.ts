const API_PATHS = ['/chat/completions', '/responses', '/models']

/**
 * The URL as the route table knows it. People forget the `/v1` of a base URL or give it twice; a proxy-style absolute
 * URL keeps only its path (RFC 9112 §3.2.2), since nothing in a request chooses a host.
 */
export function canonicalUrl(url: string): string {
  const path = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  if (path.startsWith('/v1/')) return path.startsWith('/v1/v1/') ? path.slice(3) : path
  const isApi = API_PATHS.some((known) => path.startsWith(known) && /^[/?]?$/.test(path.charAt(known.length)))
  return isApi ? `/v1${path}` : path || '/'
}
