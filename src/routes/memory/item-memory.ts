import { ProxyError } from '../../errors.ts'
import { asObject, asString, type JsonObject } from '../../json-object.ts'
import { keyOf, RecentMemory } from './recent-memory.ts'

const MAX_BYTES = 8 * 1024 * 1024

/**
 * The items of answers by id. `store` is true by default, so clients (the AI SDK) may refer to an item of an earlier
 * answer by its id alone, with an `item_reference`. Upstream stores nothing, and without this memory the model would
 * not know what it had said.
 */
export class ItemMemory {
  /** As JSON, which takes less memory than objects. */
  readonly #items: RecentMemory<string>

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number, maxBytes = MAX_BYTES) {
    this.#items = new RecentMemory(now, maxBytes)
  }

  remember(owner: string, items: readonly unknown[]): void {
    for (const item of items) {
      const id = asString(asObject(item)?.id)
      if (id === undefined) continue
      const text = JSON.stringify(item)
      this.#items.keep(keyOf(owner, id), text, text.length)
    }
  }

  /**
   * Recalls items for one request. An item counts as if it had been sent, each time it is referred to: a small body
   * could refer to a large item many times. Throws `request_too_large` if they are larger than `limit`.
   */
  recallFor(owner: string, limit: number): (id: string) => JsonObject | undefined {
    let length = 0
    return (id) => {
      const text = this.#items.recall(keyOf(owner, id))
      if (text === undefined) return undefined
      length += text.length
      if (length > limit) throw tooLarge(limit)
      return asObject(JSON.parse(text))
    }
  }
}

function tooLarge(limit: number): ProxyError {
  return new ProxyError('request_too_large', `The items that the body refers to by id are larger than ${limit} bytes.`)
}
