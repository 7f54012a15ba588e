import { asObject, type JsonObject } from '../json-object.ts'

/** Cache hints of other dialects and of the public API: upstream refuses unknown keys (case 8). */
const CACHE_HINTS = new Set(['cache_control', 'prompt_cache_breakpoint'])
/** What holds data of the client: there, keys are names that it chose. */
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

/** A tool in Responses form passes; only its former name and cache hints change, those of tools within it too. */
export function responsesTool(tool: JsonObject): JsonObject {
  const own: JsonObject = { ...withoutCacheHints(tool), type: hostedToolType(tool.type) }
  if (!Array.isArray(own.tools)) return own
  return { ...own, tools: own.tools.map(nestedTool) }
}

function nestedTool(tool: unknown): unknown {
  const object = asObject(tool)
  return object === undefined ? tool : responsesTool(object)
}

/** `web_search_preview` and its dated forms are what `web_search` was called before (case 65). */
export function hostedToolType(type: unknown): unknown {
  return typeof type === 'string' && type.startsWith('web_search_preview') ? 'web_search' : type
}

/** An item, part or tool without its cache hints, however deep they are; the object itself when it holds none. */
export function withoutCacheHints(object: JsonObject): JsonObject {
  return holdsHint(object) ? withoutHints(object) : object
}

function holdsHint(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsHint)
  const object = asObject(value)
  if (object === undefined) return false
  return Object.keys(object).some((key) => CACHE_HINTS.has(key) || (!DATA.has(key) && holdsHint(object[key])))
}

function withoutHints(object: JsonObject): JsonObject {
  const kept = Object.entries(object).filter(([key]) => !CACHE_HINTS.has(key))
  return Object.fromEntries(kept.map(([key, value]) => [key, DATA.has(key) ? value : plain(value)]))
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  const object = asObject(value)
  return object === undefined ? value : withoutHints(object)
}
