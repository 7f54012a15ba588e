import { callKey, type ToolCall } from '../conversion/call-key.ts'
import type { JsonObject } from '../conversion/chat-plan.ts'
import type { ReasonedCall } from '../conversion/reasoning-continuity.ts'

type Entry = { readonly items: readonly JsonObject[]; readonly bytes: number; readonly storedAt: number }

const MAX_BYTES = 32 * 1024 * 1024
const MAX_AGE_MS = 2 * 60 * 60 * 1000

/**
 * The reasoning items that preceded a tool call, kept for the request that replays the call: Chat has no place for
 * them, and without them the model thinks anew at every tool turn (case 106). Bounded, in memory only, and never used
 * across credentials.
 */
export class ReasoningMemory {
  readonly #now: () => number
  readonly #maxBytes: number
  /** In order of use, oldest first. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  /** `now` in milliseconds. */
  constructor(now: () => number, maxBytes = MAX_BYTES) {
    this.#now = now
    this.#maxBytes = maxBytes
  }

  remember(owner: string, calls: readonly ReasonedCall[]): void {
    for (const { call, items } of calls) {
      const key = keyOf(owner, call)
      const bytes = key.length + JSON.stringify(items).length
      this.#forget(key)
      if (items.length === 0 || bytes > this.#maxBytes) continue
      this.#entries.set(key, { items, bytes, storedAt: this.#now() })
      this.#bytes += bytes
    }
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return
      this.#forget(key)
    }
  }

  recall(owner: string, call: ToolCall): readonly JsonObject[] | undefined {
    // Most requests have nothing to recall, and a long history many calls, each of which would be parsed for its key.
    if (this.#entries.size === 0) return undefined
    const key = keyOf(owner, call)
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (this.#now() - entry.storedAt > MAX_AGE_MS) {
      this.#bytes -= entry.bytes
      return undefined
    }
    this.#entries.set(key, entry)
    return entry.items
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}

function keyOf(owner: string, call: ToolCall): string {
  return `${owner}\n${callKey(call)}`
}
