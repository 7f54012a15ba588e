import { characters } from './citations.ts'

/**
 * Emulates `stop`: lets text through up to the first stop text, even if that is spread over several deltas. Text that
 * may still become a stop text is held back.
 */
export class StopSequence {
  readonly #stops: readonly string[]
  readonly #longest: number
  #held = ''
  #stopped = false
  #passed = 0

  constructor(stops: readonly string[]) {
    this.#stops = stops
    this.#longest = Math.max(0, ...stops.map((stop) => stop.length))
  }

  get active(): boolean {
    return this.#longest > 0
  }

  /** A stop text was found: nothing comes after it. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** How many characters were let through. */
  get passed(): number {
    return this.#passed
  }

  push(text: string): string {
    if (this.#stopped) return ''
    const all = this.#held + text
    const at = this.#firstStop(all)
    this.#stopped = at !== -1
    const end = this.#stopped ? at : this.#safeLength(all)
    this.#held = this.#stopped ? '' : all.slice(end)
    const passed = all.slice(0, end)
    this.#passed += characters(passed)
    return passed
  }

  /** No more text follows: what was held back is part of the answer. */
  end(): string {
    const rest = this.#held
    this.#held = ''
    this.#passed += characters(rest)
    return rest
  }

  /**
   * The position of the stop text that is complete first, so that the cut does not depend on how the text was split.
   */
  #firstStop(text: string): number {
    let first = { at: -1, end: Number.POSITIVE_INFINITY }
    for (const stop of this.#stops) {
      const at = text.indexOf(stop)
      const end = at + stop.length
      if (at !== -1 && (end < first.end || (end === first.end && at < first.at))) first = { at, end }
    }
    return first.at
  }

  /** How much of the text cannot be part of an incomplete stop text. */
  #safeLength(text: string): number {
    for (let at = Math.max(0, text.length - this.#longest + 1); at < text.length; at++) {
      const tail = text.slice(at)
      if (this.#stops.some((stop) => stop.startsWith(tail))) return at
    }
    return text.length
  }
}
