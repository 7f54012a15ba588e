import { freeMemory } from '../runtime/own-memory.ts'

/** The memory behind the bodies of a request. They may be sent several times, also at once; it is freed at the end. */
export class BodyMemory {
  readonly #memory: readonly Buffer[]
  #readers = 0

  /** `memory` may still grow while further bodies are written. */
  constructor(memory: readonly Buffer[]) {
    this.#memory = memory
  }

  /** A connection begins to send from it. */
  lend(): void {
    this.#readers++
  }

  /** The connection has sent everything. One that broke off never gives back. */
  giveBack(): void {
    this.#readers--
  }

  /** It will not be sent again. If a connection may still read from it, it is left to the collector. */
  free(): void {
    if (this.#readers === 0) for (const bytes of this.#memory) freeMemory(bytes)
  }
}
