import { upstreamCallId } from './call-history.ts'
import type { JsonObject } from './chat-plan.ts'
import { withoutCacheHints } from './hosted-tools.ts'
import { asList } from './json.ts'
import type { JsonPlace } from './json-path.ts'

const ROLES = ['assistant', 'system', 'developer', 'user'] as const

/**
 * `input` of a Responses request as the backend takes it: a list of items that needs nothing stored. With `namespaces` the
 * request has tools that live in one, and a call has to say which (docs/upstream.md 4.5).
 */
export function responsesInput(input: JsonPlace, namespaces: boolean): JsonObject[] {
  if (typeof input.value === 'string') {
    return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: input.value }] }]
  }
  if (!input.absent && !Array.isArray(input.value)) throw input.wrongType('one of a string or array of objects')
  return input.items().flatMap((item) => convertItem(item, namespaces))
}

function convertItem(place: JsonPlace, namespaces: boolean): JsonObject[] {
  const given = place.object()
  const type = place.at('type').optionalString() ?? 'message'
  if (type === 'message') return [messageItem(place)]
  if (type === 'item_reference') return referredItem(place)
  const item = withoutCacheHints(given)
  switch (type) {
    case 'reasoning':
      return reasoningItem(item)
    case 'function_call':
    case 'function_call_output':
    case 'custom_tool_call':
    case 'custom_tool_call_output':
      return [callItem(item, namespaces)]
    case 'image_generation_call':
      return [without(item, ['call_id'])]
    default:
      return [item]
  }
}

/**
 * Nothing is stored that an id could stand for. Without reasoning the model thinks anew; without anything else of it, the
 * answer would be to another conversation.
 */
function referredItem(place: JsonPlace): JsonObject[] {
  const id = place.at('id').string()
  if (id.startsWith('rs_')) return []
  throw place.fault('item_not_stored', `'${place.path}' names an item by its id, but a ChatGPT login stores none.`)
}

/** Only keys that upstream knows (case 204); an `id` would name something it has not stored. */
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
  if (!content.absent && !Array.isArray(content.value)) throw content.wrongType('one of a string or array of objects')
  return content.items().map((part) => withoutCacheHints(part.object()))
}

/** Reasoning without its encrypted content is nothing but an id of something not stored (case 109). */
function reasoningItem(item: JsonObject): JsonObject[] {
  if (typeof item.encrypted_content !== 'string' || item.encrypted_content === '') return []
  const kept = without(item, item.content === null ? ['status'] : ['status', 'content'])
  return [{ ...kept, summary: asList(item.summary) }]
}

function callItem(item: JsonObject, namespaces: boolean): JsonObject {
  const kept = without(item, namespaces ? ['id'] : ['id', 'namespace'])
  if (typeof kept.call_id === 'string') kept.call_id = upstreamCallId(kept.call_id)
  return kept
}

function without(item: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(item).filter(([key]) => !keys.includes(key)))
}
