/** A content type without its parameters, in lower case; '' if there is none (RFC 9110 §8.3.1). */
export function mediaTypeOf(contentType: string | undefined): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Whether a content type is JSON, or a format based on it: `application/vnd.api+json` (RFC 6839 §3.1). */
export function isJsonType(contentType: string | undefined): boolean {
  return /^application\/([a-z0-9!#$&^_.+-]+\+)?json$/.test(mediaTypeOf(contentType))
}
