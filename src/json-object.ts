// Reads untrusted JSON, whose shape nothing guarantees.

/** A JSON object of unknown content. */
export type JsonObject = { readonly [key: string]: unknown }

/** What `JSON.parse` calls with each value, and puts what it returns in its place. */
type Reviver = (key: string, value: unknown) => unknown

/** `undefined` for a text that is not JSON. */
export function parseJson(text: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch {
    return undefined
  }
}

/** `undefined` for a text that is not a JSON object. */
export function parseObject(text: string, reviver?: Reviver): JsonObject | undefined {
  return asObject(parseJson(text, reviver))
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An empty object or list, such as `metadata: {}`, which asks for nothing. */
export function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

export function without(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}

// `as…` returns the value if it is of that kind, else undefined or an empty list. `…Of` differs where its comment says
// so.

export function asObject(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** An empty object for anything that is not an object. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** An empty text counts as none. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** The milliseconds since the epoch of a time as ISO 8601 writes it. */
export function timeOf(value: unknown): number | undefined {
  return typeof value === 'string' ? asNumber(Date.parse(value)) : undefined
}

/** An index into a list. */
export function asIndex(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
