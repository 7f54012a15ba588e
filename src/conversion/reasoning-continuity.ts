import type { JsonObject } from './chat-plan.ts'

/**
 * Encrypted reasoning items by the call they led to: the first call after them. Both lists go by output index; a call
 * that follows another without new reasoning has none of its own, so that putting the items back doubles nothing.
 */
export function reasoningByCall(
  reasoning: readonly (readonly [number, JsonObject])[],
  callIds: readonly (readonly [number, string])[],
): ReadonlyMap<string, readonly JsonObject[]> {
  const byCall = new Map<string, JsonObject[]>()
  const calls = [...callIds].sort(([a], [b]) => a - b)
  for (const [index, item] of [...reasoning].sort(([a], [b]) => a - b)) {
    const call = calls.find(([callIndex]) => callIndex > index)
    if (call === undefined || typeof item.encrypted_content !== 'string' || item.encrypted_content === '') continue
    const [, callId] = call
    byCall.set(callId, [...(byCall.get(callId) ?? []), item])
  }
  return byCall
}
