/**
 * The bytes of one event-loop turn as a single latin1 string (one character a byte, so UTF-8 survives untouched), and
 * the ranges in it that belong to the stream: start, end, start, end, … What lies between them is HTTP chunk framing.
 */
export type Batch = { readonly text: string; readonly ranges: readonly number[] }

/**
 * Gathers what one socket read delivers. Upstream sends an event per HTTP chunk, and undici hands each over as a view
 * into the same read buffer: decoding the read once is a third of the cost of decoding every view
 * (docs/performance.md).
 */
export class ReadBatch {
  readonly #take: (batch: Batch) => void
  readonly #flush = () => this.flush()
  #memory: ArrayBufferLike | undefined
  #from = 0
  #to = 0
  #ranges: number[] = []
  #scheduled = false

  constructor(take: (batch: Batch) => void) {
    this.#take = take
  }

  add(bytes: Buffer): void {
    const start = bytes.byteOffset
    if (this.#memory !== bytes.buffer || start < this.#to) {
      this.#hand()
      this.#memory = bytes.buffer
      this.#from = start
    }
    this.#ranges.push(start - this.#from, start + bytes.length - this.#from)
    this.#to = start + bytes.length
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(this.#flush)
  }

  /** Hands over what has been gathered, now. */
  flush(): void {
    this.#scheduled = false
    this.#hand()
  }

  #hand(): void {
    if (this.#memory === undefined) return
    const text = Buffer.from(this.#memory, this.#from, this.#to - this.#from).toString('latin1')
    const ranges = this.#ranges
    this.#memory = undefined
    this.#to = 0
    this.#ranges = []
    this.#take({ text, ranges })
  }
}
