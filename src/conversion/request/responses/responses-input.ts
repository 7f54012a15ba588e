import { asList, asObject, isObject, type JsonObject, textOf, without } from '../../../json-object.ts'
import { withoutCacheHints } from '../cache-hints.ts'
import type { JsonPlace } from '../json-place.ts'
import type { ReportedFields } from '../reported-fields.ts'
import { shownPart } from '../shown-part.ts'
import { upstreamCallId, withAcceptedId } from '../upstream-ids.ts'

const ROLES = ['assistant', 'system', 'developer', 'user'] as const

type InputContext = {
  /** The request has tools in namespaces, so a call has to keep its `namespace` (docs/upstream.md 4.5). */
  readonly namespaces: boolean
  /** An item of an earlier answer. */
  readonly recallItem: (id: string) => JsonObject | undefined
  readonly reported: ReportedFields
}

/** `input` of a Responses request as the backend accepts it: a list of items that needs nothing stored. */
export function responsesInput(input: JsonPlace, context: InputContext): JsonObject[] {
  if (typeof input.value === 'string') return [userMessage(input.value)]
  return input.items('one of a string or array of objects').flatMap((item) => convertItem(item, context))
}

/** The message that a string stands for. */
export function userMessage(text: string): JsonObject {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] }
}

function convertItem(place: JsonPlace, context: InputContext): JsonObject[] {
  const given = place.object()
  const type = place.at('type').optionalString() ?? (isOnlyId(place) ? 'item_reference' : 'message')
  if (type === 'message') return [messageItem(place)]
  if (type === 'item_reference') return referredItem(place, context)
  const item = withoutCacheHints(given)
  switch (type) {
    case 'reasoning':
      return reasoningItem(item)
    case 'function_call':
    case 'custom_tool_call':
      return [callItem(item, context.namespaces)]
    case 'function_call_output':
    case 'custom_tool_call_output':
      // A tool that returned nothing (case 88).
      return [callItem({ ...item, output: shownOutput(item.output ?? '') }, context.namespaces)]
    case 'image_generation_call':
      return imageItem(item)
    case 'web_search_call':
      return [withAcceptedId(searchItem(item))]
    default:
      return [withAcceptedId(onlySaid(item))]
  }
}

/** Messages and references may omit their type; a reference has nothing but its id. */
function isOnlyId(place: JsonPlace): boolean {
  return !place.at('id').absent && Object.keys(place.object()).every((key) => key === 'id' || key === 'type')
}

/**
 * Upstream stores nothing that an id could refer to: the remembered item, or else nothing, which is reported (case 89).
 */
function referredItem(place: JsonPlace, context: InputContext): JsonObject[] {
  const item = context.recallItem(place.at('id').string())
  if (item !== undefined) return convertItem(place.of(item), context)
  context.reported.add(place.path, 'names an item that is not stored; send the item itself, as with `store: false`')
  return []
}

/** Only keys that upstream knows (case 204); an `id` would refer to something it has not stored. */
function messageItem(place: JsonPlace): JsonObject {
  const role = place.at('role').word(ROLES)
  const phase = place.at('phase')
  const passthrough = place.at('internal_chat_message_metadata_passthrough')
  return {
    type: 'message',
    role: role === 'system' ? 'developer' : role,
    content: messageContent(place.at('content'), role),
    // JSON leaves out what is undefined.
    phase: phase.value ?? undefined,
    internal_chat_message_metadata_passthrough: passthrough.value ?? undefined,
  }
}

function messageContent(content: JsonPlace, role: string): unknown[] {
  if (typeof content.value === 'string') {
    return [{ type: role === 'assistant' ? 'output_text' : 'input_text', text: content.value }]
  }
  return content.items('one of a string or array of objects').map((part) => onlySaid(withoutCacheHints(part.object())))
}

/** Reasoning without encrypted content is only the id of something that is not stored (case 109). */
function reasoningItem(item: JsonObject): JsonObject[] {
  if (textOf(item.encrypted_content) === undefined) return []
  const kept = without(item, item.content === null ? ['status'] : ['status', 'content'])
  return [withAcceptedId({ ...kept, summary: asList(item.summary) })]
}

/**
 * The fields of a generated image that Codex sends back. The fields on how it was made only come with answers, and are
 * not accepted (docs/upstream.md 4.5).
 */
const OF_IMAGE = new Set([
  'type',
  'id',
  'status',
  'result',
  'revised_prompt',
  'internal_chat_message_metadata_passthrough',
])

/** Without the image itself, for example because it failed, it is only the id of something that is not stored. */
function imageItem(item: JsonObject): JsonObject[] {
  if (textOf(item.result) === undefined) return []
  return [withAcceptedId(Object.fromEntries(Object.entries(onlySaid(item)).filter(([key]) => OF_IMAGE.has(key))))]
}

/** The sources of a search come if requested, else as null: upstream accepts neither back (docs/upstream.md 4.5). */
function searchItem(item: JsonObject): JsonObject {
  const action = asObject(item.action)
  return onlySaid(action === undefined ? item : { ...item, action: without(onlySaid(action), ['sources']) })
}

function callItem(item: JsonObject, namespaces: boolean): JsonObject {
  const kept = without(onlySaid(item), namespaces ? ['id'] : ['id', 'namespace'])
  return typeof kept.call_id === 'string' ? { ...kept, call_id: upstreamCallId(kept.call_id) } : kept
}

function shownOutput(output: unknown): unknown {
  if (!Array.isArray(output)) return output
  return output.map((part: unknown) => (isObject(part) ? shownPart(part) : part))
}

/** Fields that the parsing helpers of the official clients add to an answer; upstream knows none of them (case 204). */
const OF_CLIENTS = new Set(['parsed', 'parsed_arguments'])

/**
 * The object without these and without nulls, of which dumped models of the Python client are full
 * (openai-python#3008).
 */
function onlySaid(object: JsonObject): JsonObject {
  const isSaid = (key: string) => object[key] !== null && !OF_CLIENTS.has(key)
  // Most objects have none of these, and need not be copied.
  if (Object.keys(object).every(isSaid)) return object
  return Object.fromEntries(Object.entries(object).filter(([key]) => isSaid(key)))
}
