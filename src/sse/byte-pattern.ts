const WORD = 8

/**
 * Tests whether bytes equal those of a text, comparing eight at a time, read as a double. Eight bytes that read as NaN
 * equal nothing, not even themselves, but ASCII never does. Little-endian, like the processors.
 */
export class BytePattern {
  readonly length: number
  readonly #words: Float64Array
  readonly #last: number

  /** At least eight bytes. */
  constructor(bytes: Buffer) {
    const view = viewOf(bytes)
    this.length = bytes.length
    this.#words = new Float64Array(Math.floor(bytes.length / WORD))
    for (let word = 0; word < this.#words.length; word++) this.#words[word] = wordAt(view, word * WORD)
    this.#last = wordAt(view, bytes.length - WORD)
  }

  /** Whether the bytes at `at` are these. Throws a RangeError where there are fewer. */
  isAt(view: DataView, at: number): boolean {
    const words = this.#words
    for (let word = 0; word < words.length; word++) {
      if (view.getFloat64(at + word * WORD, true) !== words[word]) return false
    }
    return view.getFloat64(at + this.length - WORD, true) === this.#last
  }
}

/** Zero has two forms that compare as equal, so it becomes NaN, which matches nothing. */
function wordAt(view: DataView, at: number): number {
  return view.getFloat64(at, true) || Number.NaN
}

export function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}
