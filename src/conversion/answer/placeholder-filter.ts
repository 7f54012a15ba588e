/** The beginning of a line that may turn out to be just an empty HTML comment. */
const BEGUN_PLACEHOLDER = /^[ \t]*(?:<(?:!(?:-(?:-[ \t]*(?:-(?:-(?:>[ \t]*)?)?)?)?)?)?)?$/
const PLACEHOLDER_LINE = /^[ \t]*<!--[ \t]*-->[ \t]*$/
/** Anything longer is text: a model that writes nothing but spaces must not make us look at all of them each time. */
const LONGEST = 100

/**
 * Removes lines `<!-- -->`, with which upstream fills empty reasoning summaries (case 114), from text that arrives in
 * pieces. Holds back no more than the start of such a line.
 */
export class PlaceholderFilter {
  /** The start of the current line, while it may still become a placeholder; undefined further into a line. */
  #held: string | undefined = ''

  /** Text passes unchanged up to the next newline. */
  get withinLine(): boolean {
    return this.#held === undefined
  }

  push(text: string): string {
    let out = ''
    let from = 0
    while (from < text.length) {
      const newline = text.indexOf('\n', from)
      const to = newline === -1 ? text.length : newline + 1
      out += this.#pushWithinLine(text.slice(from, to))
      from = to
    }
    return out
  }

  /** No more text comes. */
  end(): string {
    const rest = this.#held ?? ''
    this.#held = ''
    return isPlaceholder(rest) ? '' : rest
  }

  /** `piece` may end with a newline, but has none before. */
  #pushWithinLine(piece: string): string {
    const isLineEnd = piece.endsWith('\n')
    if (this.#held === undefined) {
      if (isLineEnd) this.#held = ''
      return piece
    }
    const line = this.#held + piece
    if (isLineEnd) {
      this.#held = ''
      return isPlaceholder(line.slice(0, -1)) ? '' : line
    }
    const mayBecomePlaceholder = line.length <= LONGEST && BEGUN_PLACEHOLDER.test(line)
    this.#held = mayBecomePlaceholder ? line : undefined
    return mayBecomePlaceholder ? '' : line
  }
}

function isPlaceholder(line: string): boolean {
  return line.length <= LONGEST && PLACEHOLDER_LINE.test(line)
}
