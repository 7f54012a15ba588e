import { nowOrAtEndOfTurn } from '../runtime/end-of-turn.ts'

/**
 * The body bytes that one socket read brought: the `ranges` of `memory` (start, end, start, end, …), from its beginning
 * to its end. Between them is HTTP chunk framing.
 */
export type SocketRead = { readonly memory: Buffer; readonly ranges: readonly number[] }

/** The body bytes; copied only if there is framing between them. */
export function bytesOf({ memory, ranges }: SocketRead): Buffer {
  if (ranges.length === 2) return memory
  const pieces: Buffer[] = []
  for (let i = 0; i < ranges.length; i += 2) pieces.push(memory.subarray(ranges[i], ranges[i + 1]))
  return Buffer.concat(pieces)
}

/**
 * Gathers what one socket read delivers. Upstream sends each event in its own HTTP chunk, and undici hands over each
 * chunk as a view into the same memory. Only two numbers are kept per chunk, and the read is decoded as a whole, at a
 * third of the cost of decoding every view (docs/performance.md).
 */
export class ReadGatherer {
  readonly #take: (read: SocketRead) => void
  readonly #flush = () => this.flush()
  #memory: ArrayBufferLike | undefined
  #from = 0
  #to = 0
  #ranges: number[] = []
  #scheduled = false

  constructor(take: (read: SocketRead) => void) {
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
    // Not yet, since this read may bring more.
    process.nextTick(nowOrAtEndOfTurn, this.#flush)
  }

  /** Hands over what has been gathered, now. */
  flush(): void {
    this.#scheduled = false
    this.#hand()
  }

  #hand(): void {
    if (this.#memory === undefined) return
    const read = { memory: Buffer.from(this.#memory, this.#from, this.#to - this.#from), ranges: this.#ranges }
    this.#memory = undefined
    this.#to = 0
    this.#ranges = []
    this.#take(read)
  }
}
