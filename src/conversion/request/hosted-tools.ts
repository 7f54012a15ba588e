import { asObject, type JsonObject } from '../../json-object.ts'
import { withoutCacheHints } from './cache-hints.ts'

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
