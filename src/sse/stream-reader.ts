import { FrameReader, type TakeFrames } from './frame-reader.ts'
import { ReadBatch } from './read-batch.ts'

type Handlers = {
  /** Whole frames, as latin1 text; none after `finish`. What it throws comes back through `failed`. */
  readonly frames: TakeFrames
  /** All frames of one read have been handed over: what they gave can be written in one piece. */
  readonly batchEnd: () => void
  /** Exactly one of these two comes last. */
  readonly ended: () => void
  readonly failed: (error: unknown) => void
}

/** Takes the bytes of an event stream as they arrive and hands over whole frames. */
export class StreamReader {
  readonly #handlers: Handlers
  readonly #reader: FrameReader
  readonly #batch: ReadBatch
  #over = false

  constructor(handlers: Handlers, maxEvent: number) {
    this.#handlers = handlers
    this.#reader = new FrameReader((text, from, to) => {
      // One read may hold more than the last frame that matters, in several ranges.
      if (!this.#over) handlers.frames(text, from, to)
    }, maxEvent)
    this.#batch = new ReadBatch((batch) => this.#attempt(() => this.#reader.take(batch)))
  }

  data(bytes: Buffer): void {
    if (!this.#over) this.#batch.add(bytes)
  }

  /** The bytes ended. */
  end(): void {
    this.#batch.flush()
    this.#attempt(() => this.#reader.end())
    this.finish()
  }

  /** The bytes broke off; what came before is still handed over. */
  fail(error: unknown): void {
    this.#batch.flush()
    if (this.#over) return
    this.#over = true
    this.#handlers.failed(error)
  }

  /** Nothing that still arrives matters. */
  finish(): void {
    if (this.#over) return
    this.#over = true
    this.#handlers.ended()
  }

  #attempt(work: () => void): void {
    if (this.#over) return
    try {
      work()
      this.#handlers.batchEnd()
    } catch (error) {
      this.#over = true
      this.#handlers.failed(error)
    }
  }
}
