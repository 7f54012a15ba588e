import type { IncomingHttpHeaders } from 'node:http'
import { ProxyError } from '../errors.ts'
import { shorten } from '../foreign-text.ts'
import { isJsonType, mediaTypeOf } from '../media-type.ts'

/**
 * Throws `unsupported_content_type` for anything but JSON. This is also a defence: without a preflight, a web page may
 * only send text, a form or no type at all (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). Image edits
 * accept a form nevertheless, as the API does (routes/images.ts): there only `Origin` keeps pages out
 * (guard.ts).
 */
export function requireJson(headers: IncomingHttpHeaders): void {
  if (isJsonType(headers['content-type'])) return
  const mediaType = mediaTypeOf(headers['content-type'])
  const message =
    mediaType === '' ? 'The body has no content type.' : `The body is not JSON but ${shorten(mediaType, 60)}.`
  throw new ProxyError('unsupported_content_type', message)
}
