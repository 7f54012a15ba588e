import { freeMemory } from '../own-memory.ts'

/** What bodies of requests are views of. It can be sent several times at once and again, and is freed at the end of all. */
export class BodyMemory {
  readonly #memory: readonly Buffer[]
  #readers = 0

  /** A list that grows while more is written. */
  constructor(memory: readonly Buffer[]) {
    this.#memory = memory
  }

  /** A connection begins to send from it. */
  lend(): void {
    this.#readers++
  }

  /** That connection has sent all it was given; one that broke off gives nothing back. */
  giveBack(): void {
    this.#readers--
  }

  /** It will not be sent again. While some connection still reads from it, it is left to the collector. */
  free(): void {
    if (this.#readers === 0) for (const bytes of this.#memory) freeMemory(bytes)
  }
}
