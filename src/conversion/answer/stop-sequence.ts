import { characters } from './citations.ts'
import { StopMatch } from './stop-match.ts'

/**
 * Emulates `stop`: lets text through up to the first stop text, even if that is spread over several deltas. Text that
 * may still become a stop text is held back.
 */
export class StopSequence {
  readonly #matches: readonly StopMatch[]
  #stopped = false
  #passed = 0

  constructor(stops: readonly string[]) {
    this.#matches = stops.map((stop) => new StopMatch(stop))
  }

  get active(): boolean {
    return this.#matches.length > 0
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
    const before = longest(this.#matches)
    const read = this.#read(text)
    const found = this.#matches.filter(({ whole }) => whole)
    this.#stopped = found.length > 0
    const last = longest(this.#stopped ? found : this.#matches)

    // Not of both texts as one: joining them would copy all that is held, with every delta.
    const end = before.length + read - last.length
    const passed = before.slice(0, end) + text.slice(0, Math.max(0, end - before.length))
    this.#passed += characters(passed)
    return passed
  }

  /** No more text follows: what was held back is part of the answer. */
  end(): string {
    const rest = this.#stopped ? '' : longest(this.#matches)
    for (const match of this.#matches) match.reset()
    this.#passed += characters(rest)
    return rest
  }

  /**
   * Reads up to the end of the stop text that is complete first, so that the cut does not depend on how the text was
   * split. Returns how much was read.
   */
  #read(text: string): number {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      for (const match of this.#matches) match.read(code)
      if (this.#matches.some(({ whole }) => whole)) return at + 1
    }
    return text.length
  }
}

/** What the text ends with that is, or may become, a stop text. */
function longest(matches: readonly StopMatch[]): string {
  return matches.reduce((most, { matched }) => (matched.length > most.length ? matched : most), '')
}
