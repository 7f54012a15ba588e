import type { ToolCall } from './call-key.ts'
import type { JsonObject } from './chat-plan.ts'

/** A call and the encrypted reasoning items that led to it. */
export type ReasonedCall = { readonly call: ToolCall; readonly items: readonly JsonObject[] }

const NONE: readonly ReasonedCall[] = []

/**
 * Encrypted reasoning items with the call they led to: the first call after them. Both lists go by output index; a call
 * that follows another without new reasoning has none of its own, so that putting the items back doubles nothing.
 */
export function reasonedCalls(
  reasoning: readonly (readonly [number, JsonObject])[],
  calls: readonly (readonly [number, ToolCall])[],
): readonly ReasonedCall[] {
  if (reasoning.length === 0) return NONE
  const itemsOf = new Map<ToolCall, JsonObject[]>()
  const inOrder = [...calls].sort(([a], [b]) => a - b)
  for (const [index, item] of [...reasoning].sort(([a], [b]) => a - b)) {
    const next = inOrder.find(([callIndex]) => callIndex > index)
    if (next === undefined || typeof item.encrypted_content !== 'string' || item.encrypted_content === '') continue
    const [, call] = next
    itemsOf.set(call, [...(itemsOf.get(call) ?? []), item])
  }
  return [...itemsOf].map(([call, items]) => ({ call, items }))
}
