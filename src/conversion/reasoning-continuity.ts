import { type JsonObject, textOf } from '../json-object.ts'
import { addToList } from '../list-map.ts'
import type { ToolCall } from './call-key.ts'

/** Stands in for the message among the items of an answer; clients replay the message itself. */
export const TEXT_PLACE: JsonObject = { type: 'message' }

/** A call with the encrypted reasoning items before it; among those of the first call also the place of the text. */
export type ReasonedCall = { readonly call: ToolCall; readonly items: readonly JsonObject[] }

const NONE: readonly ReasonedCall[] = []

/**
 * Assigns each encrypted reasoning item to the first call after it; both lists have output indexes. A call that follows
 * another one without new reasoning gets none, so that no item is put back twice.
 */
export function reasonedCalls(
  items: readonly (readonly [number, JsonObject])[],
  calls: readonly (readonly [number, ToolCall])[],
): readonly ReasonedCall[] {
  if (items.length === 0 || calls.length === 0) return NONE
  const itemsOf = new Map<ToolCall, JsonObject[]>()
  const inOrder = [...calls].sort(([a], [b]) => a - b)
  let next = 0
  for (const [index, item] of [...items].sort(([a], [b]) => a - b)) {
    while ((inOrder[next]?.[0] ?? Number.POSITIVE_INFINITY) <= index) next++
    const [, call] = inOrder[next] ?? []
    const isKept = isEncrypted(item) || (item === TEXT_PLACE && next === 0)
    if (call !== undefined && isKept) addToList(itemsOf, call, item)
  }
  return [...itemsOf].flatMap(([call, items]) => (items.some(isEncrypted) ? [{ call, items }] : []))
}

function isEncrypted({ encrypted_content }: JsonObject): boolean {
  return textOf(encrypted_content) !== undefined
}
