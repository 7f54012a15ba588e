import type { ChatGptCredentials } from '../../credentials/credentials.ts'

type Entry<T> = { readonly value: T; readonly bytes: number; readonly keptAt: number }

const MAX_BYTES = 32 * 1024 * 1024
const MAX_AGE_MS = 2 * 60 * 60 * 1000

/**
 * Parts of earlier answers that later requests may need. In memory only, limited in bytes and age; least recently used
 * entries go first.
 */
export class RecentMemory<T> {
  readonly #now: () => number
  readonly #maxBytes: number
  readonly #maxAge: number
  /** In order of use, oldest first. */
  readonly #entries = new Map<string, Entry<T>>()
  #bytes = 0

  /** `now` in milliseconds of a clock that is never adjusted: if set forward, all conversations would be forgotten. */
  constructor(now: () => number, maxBytes = MAX_BYTES, maxAge = MAX_AGE_MS) {
    this.#now = now
    this.#maxBytes = maxBytes
    this.#maxAge = maxAge
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0
  }

  keep(key: string, value: T, size: number): void {
    this.#forget(key)
    const bytes = key.length + size
    if (bytes > this.#maxBytes) return
    this.#entries.set(key, { value, bytes, keptAt: this.#now() })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return
      this.#forget(oldest)
    }
  }

  recall(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (this.#now() - entry.keptAt > this.#maxAge) {
      this.#forget(key)
      return undefined
    }
    // It is the one used last now.
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}

/** The owner part of keys in memory, which are never shown: accounts share nothing. */
export function ownerOf({ accountId, accessToken }: ChatGptCredentials): string {
  return accountId ?? accessToken
}

/** The key of an owner's entry. */
export function keyOf(owner: string, name: string): string {
  return `${owner}\n${name}`
}
