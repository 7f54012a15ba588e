import { hash } from 'node:crypto'
import { asList, asObject, isObject, type JsonObject, without } from '../../json-object.ts'
import type { ResponsesRequest } from './upstream-body.ts'

/**
 * Converts a request to the Lite lane (docs/upstream.md 4.4, case 190), for models that answer only there: tools and
 * instructions become items at the head of `input`, there are no parallel calls, and images have no `detail`.
 */
export function toLiteRequest(request: ResponsesRequest): ResponsesRequest {
  const { instructions, tools, input, reasoning, ...rest } = request
  const added = { type: 'additional_tools', role: 'developer', tools: asList(tools) }
  const prompt = { type: 'message', role: 'developer', content: [{ type: 'input_text', text: instructions }] }
  return {
    ...rest,
    input: [
      withId('at', added),
      ...(instructions === undefined || instructions === '' ? [] : [withId('msg', prompt)]),
      ...input.map(withoutImageDetail),
    ],
    parallel_tool_calls: false,
    reasoning: { ...asObject(reasoning), context: 'all_turns' },
  }
}

/** The same item always has the same id, else the prompt cache misses it (case 184). */
function withId(prefix: string, item: JsonObject): JsonObject {
  const digest = hash('sha256', JSON.stringify(item), 'hex').slice(0, 32)
  const { type, ...rest } = item
  return { type, id: `${prefix}_${digest}`, ...rest }
}

function withoutImageDetail(item: JsonObject): JsonObject {
  const key = Array.isArray(item.content) ? 'content' : 'output'
  const parts = item[key]
  if (!Array.isArray(parts)) return item
  return { ...item, [key]: parts.map(plainImage) }
}

function plainImage(part: unknown): unknown {
  return isObject(part) && part.type === 'input_image' ? without(part, ['detail']) : part
}
