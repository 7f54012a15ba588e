import { isObject, type JsonObject } from '../../json-object.ts'
import { withoutCacheHints } from './cache-hints.ts'
import type { ReportedFields } from './reported-fields.ts'

/** A tool in Responses form is passed; only its former name and cache hints change, also in nested tools. */
export function responsesTool(tool: JsonObject): JsonObject {
  return withPresentNames(withoutCacheHints(tool))
}

function withPresentNames(tool: JsonObject): JsonObject {
  const own: JsonObject = { ...tool, type: hostedToolType(tool.type) }
  if (!Array.isArray(own.tools)) return own
  return { ...own, tools: own.tools.map((each: unknown) => (isObject(each) ? withPresentNames(each) : each)) }
}

/** `web_search_preview` and its dated forms are what `web_search` was called before (case 65). */
export function hostedToolType(type: unknown): unknown {
  return typeof type === 'string' && type.startsWith('web_search_preview') ? 'web_search' : type
}

/** Upstream refuses to be forced to generate an image (case 67). */
export function unforcedImage(reported: ReportedFields): string {
  reported.add('tool_choice', "cannot be 'image_generation'")
  return 'auto'
}

/** A forced search with filters is accepted only as an allowed tool (case 68). */
export function acceptedChoice(choice: JsonObject, tools: readonly JsonObject[]): JsonObject {
  const isFiltered = choice.type === 'web_search' && tools.some((tool) => tool.type === 'web_search' && tool.filters)
  return isFiltered ? { type: 'allowed_tools', mode: 'required', tools: [choice] } : choice
}
