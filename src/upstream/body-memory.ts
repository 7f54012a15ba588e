import { freeMemory } from '../runtime/buffers.ts'

/** The memory behind the bodies of a request. They may be sent several times, also at once; it is freed at the end. */
export class BodyMemory {
  readonly #memory: readonly Buffer[]
  #readers = 0

  /** `memory` may still grow while further bodies are written. */
  constructor(memory: readonly Buffer[]) {
    this.#memory = memory
  }

  /** A connection starts to send from it. */
  retain(): void {
    this.#readers++
  }

  /** The connection has sent everything. A connection that broke off never releases it. */
  release(): void {
    this.#readers--
  }

  /** It will not be sent again. If a connection may still read from it, it is left to the garbage collector. */
  free(): void {
    if (this.#readers === 0) for (const bytes of this.#memory) freeMemory(bytes)
  }
}
