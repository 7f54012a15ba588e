import { callKey, type ToolCall } from '../../conversion/call-key.ts'
import type { ReasonedCall } from '../../conversion/reasoning-continuity.ts'
import type { JsonObject } from '../../json-object.ts'
import { keyOf, RecentMemory } from './recent-memory.ts'

/**
 * The reasoning items that preceded a tool call, kept for the request that replays the call: Chat has no place for
 * them, and without them the model starts its reasoning over at every tool turn (case 106).
 */
export class ReasoningMemory {
  readonly #recent: RecentMemory<readonly JsonObject[]>

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number, maxBytes?: number) {
    this.#recent = new RecentMemory(now, maxBytes)
  }

  remember(owner: string, calls: readonly ReasonedCall[]): void {
    for (const { call, items } of calls) {
      if (items.length > 0) this.#recent.keep(keyOf(owner, callKey(call)), items, JSON.stringify(items).length)
    }
  }

  recall(owner: string, call: ToolCall): readonly JsonObject[] | undefined {
    // Usually there is nothing to recall; then the calls of a long history are not parsed for their keys.
    return this.#recent.isEmpty ? undefined : this.#recent.recall(keyOf(owner, callKey(call)))
  }
}
