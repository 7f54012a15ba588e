/**
 * Memory that is reused. As garbage it would pile up outside the heap, where the collector hardly notices it
 * (docs/performance.md).
 */
export class BufferPool {
  readonly #most: number
  readonly #spare: Buffer[] = []

  /** Keeps no more pieces than `most`. */
  constructor(most: number) {
    this.#most = most
  }

  /** At least so many bytes, with any content. */
  take(bytes: number): Buffer {
    const spared = this.#spare.pop()
    return spared !== undefined && spared.length >= bytes ? spared : Buffer.allocUnsafeSlow(bytes)
  }

  /** Nobody looks at this memory any more. */
  release(memory: Buffer): void {
    if (this.#spare.length < this.#most) this.#spare.push(memory)
  }
}
