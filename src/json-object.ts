/** A JSON object of unknown content, as far as it was looked at. */
export type JsonObject = { readonly [key: string]: unknown }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `value` when it is a JSON object; an empty one for anything else, arrays too. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** What `JSON.parse` calls with each value, and puts what it returns in its place. */
type Reviver = (key: string, value: unknown) => unknown

/** `undefined` for anything that is no JSON. */
export function parseJson(text: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch {
    return undefined
  }
}

/** The JSON object that a text is; `undefined` for any other text. */
export function parseObject(text: string, reviver?: Reviver): JsonObject | undefined {
  const value = parseJson(text, reviver)
  return isObject(value) ? value : undefined
}

/** A text with something in it; `undefined` for anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
