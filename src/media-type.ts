/** A content type without its parameters, in lower case; '' if there is none (RFC 9110 §8.3.1). */
export function mediaTypeOf(contentType: string | undefined): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}
