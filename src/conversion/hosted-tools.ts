import type { JsonObject } from './chat-plan.ts'
import { asObject } from './json.ts'

/** Cache hints of other dialects and of the public API: upstream refuses unknown keys (case 8). */
const CACHE_HINTS = new Set(['cache_control', 'prompt_cache_breakpoint'])

/** A tool in Responses form passes; only its former name and cache hints change, those of tools within it too. */
export function responsesTool(tool: JsonObject): JsonObject {
  const type = hostedToolType(tool.type)
  const plain = withoutCacheHints(tool)
  const own = type === tool.type ? plain : { ...plain, type }
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

/** The object itself when it holds none. */
export function withoutCacheHints(object: JsonObject): JsonObject {
  const entries = Object.entries(object)
  const kept = entries.filter(([key]) => !CACHE_HINTS.has(key))
  return kept.length === entries.length ? object : Object.fromEntries(kept)
}
