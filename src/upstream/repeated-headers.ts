import type { IncomingHttpHeaders } from 'node:http'

/** Headers with one value: of several, Node takes the first (https://nodejs.org/api/http.html#messageheaders). */
const SINGLE = ['content-type', 'etag', 'location', 'retry-after']
/** Headers whose values are a list anyway (RFC 9110 §5.3). */
const LISTS = ['connection', 'content-encoding']

/**
 * The headers of an answer as Node would give them, whose type they have: undici makes an array of any header that came
 * twice, as from a chain of gateways. Changed are those that we read; the rest goes to the client as it came.
 */
export function withoutRepeats(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  for (const name of SINGLE) if (Array.isArray(headers[name])) headers[name] = headers[name][0]
  for (const name of LISTS) if (Array.isArray(headers[name])) headers[name] = headers[name].join(', ')
  return headers
}
