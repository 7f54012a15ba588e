/**
 * A text that is valid in a header value, as tokens, keys and ids are. `undefined` for anything else, the empty text
 * included: a stray line break would make every request fail for a reason that is hard to find.
 */
export function headerText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined
}
