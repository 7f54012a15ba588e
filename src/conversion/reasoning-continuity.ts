import type { JsonObject } from '../json-object.ts'
import type { ToolCall } from './call-key.ts'

/** What an answer holds where its text stands; the text itself a client replays. */
export const TEXT_PLACE: JsonObject = { type: 'message' }

/** A call and the encrypted reasoning items that led to it; before the first call the place of the text among them. */
export type ReasonedCall = { readonly call: ToolCall; readonly items: readonly JsonObject[] }

const NONE: readonly ReasonedCall[] = []

/**
 * Encrypted reasoning items with the call they led to: the first call after them. Both lists go by output index; a call
 * that follows another without new reasoning has none of its own, so that putting the items back doubles nothing.
 */
export function reasonedCalls(
  items: readonly (readonly [number, JsonObject])[],
  calls: readonly (readonly [number, ToolCall])[],
): readonly ReasonedCall[] {
  if (items.length === 0 || calls.length === 0) return NONE
  const itemsOf = new Map<ToolCall, JsonObject[]>()
  const inOrder = [...calls].sort(([a], [b]) => a - b)
  for (const [index, item] of [...items].sort(([a], [b]) => a - b)) {
    const next = inOrder.find(([callIndex]) => callIndex > index)
    if (next === undefined || !(isEncrypted(item) || (item === TEXT_PLACE && next === inOrder[0]))) continue
    const [, call] = next
    itemsOf.set(call, [...(itemsOf.get(call) ?? []), item])
  }
  return [...itemsOf].flatMap(([call, items]) => (items.some(isEncrypted) ? [{ call, items }] : []))
}

function isEncrypted({ encrypted_content }: JsonObject): boolean {
  return typeof encrypted_content === 'string' && encrypted_content !== ''
}
