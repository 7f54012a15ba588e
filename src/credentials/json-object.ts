/** A JSON object of unknown content, as far as it was looked at. */
export type JsonObject = { readonly [key: string]: unknown }

/** `value` when it is a JSON object; an empty one for anything else, arrays too. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `undefined` for anything that is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * A text that can stand in a header value: tokens, keys and ids do. `undefined` for anything else, the empty text too:
 * a stray line break would make every request fail where nobody looks for the reason.
 */
export function headerText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined
}
