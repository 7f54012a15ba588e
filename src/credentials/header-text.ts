/**
 * A text that can stand in a header value: tokens, keys and ids do. `undefined` for anything else, the empty text too:
 * a stray line break would make every request fail where nobody looks for the reason.
 */
export function headerText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined
}
