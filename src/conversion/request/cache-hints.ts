import { isObject, type JsonObject } from '../../json-object.ts'

/** Cache hints of other dialects and of the public API: upstream refuses unknown keys (case 8). */
const CACHE_HINTS = new Set(['cache_control', 'prompt_cache_breakpoint'])
/** Fields with client data, whose keys are names chosen by the client. */
const DATA = new Set([
  'parameters',
  'input_schema',
  'output_schema',
  'schema',
  'arguments',
  'env',
  'headers',
  'metadata',
])

/** Nobody misses these: upstream manages its cache by itself. */
export function isCacheHint(key: string): boolean {
  return CACHE_HINTS.has(key)
}

/** An item, part or tool without its cache hints, at any depth; the object itself if it has none. */
export function withoutCacheHints(object: JsonObject): JsonObject {
  return holdsHint(object) ? withoutHints(object) : object
}

function holdsHint(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsHint)
  if (!isObject(value)) return false
  return Object.keys(value).some((key) => CACHE_HINTS.has(key) || (!DATA.has(key) && holdsHint(value[key])))
}

function withoutHints(object: JsonObject): JsonObject {
  const kept = Object.entries(object).filter(([key]) => !CACHE_HINTS.has(key))
  return Object.fromEntries(kept.map(([key, value]) => [key, DATA.has(key) ? value : plain(value)]))
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  return isObject(value) ? withoutHints(value) : value
}
