import { FrameReader, type FrameSink } from '../../sse/frame-reader.ts'
import { type AnswerBody, type BodySink, cutError, type UpstreamAnswer } from '../../upstream/answer.ts'
import type { SocketRead } from '../../upstream/socket-read.ts'
import type { Source } from './client-stream.ts'

/** How long upstream may take to close after the last event that matters; then its connection can be reused. */
const LINGER_MS = 1000

/** Handlers for the frames of one upstream answer. An error thrown by one of them ends the stream. */
export type FrameHandlers = {
  /** Takes whole frames, also those that come in the same read after the last frame that matters. */
  readonly frames: FrameSink
  /** All frames of one read have been handed over: the output can be written in one piece. */
  readonly batchEnd: () => void
}

/** Reads the event stream of one upstream answer. */
export class EventStream implements Source, BodySink {
  readonly #body: AnswerBody
  readonly #reader: FrameReader
  readonly #batchEnd: () => void
  #resolve = () => {}
  #reject: (error: unknown) => void = () => {}
  /** Whatever still arrives is ignored. */
  #over = false
  #lingering: NodeJS.Timeout | undefined

  constructor({ body }: Pick<UpstreamAnswer, 'body'>, maxEvent: number, { frames, batchEnd }: FrameHandlers) {
    this.#body = body
    this.#batchEnd = batchEnd
    this.#reader = new FrameReader(frames, maxEvent)
  }

  /** Resolves at `finish` or at the end of the body; rejects when the stream breaks, or with what a handler threw. */
  read(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#body.pipe(this)
    })
  }

  data({ memory, ranges }: SocketRead): void {
    this.#attempt(() => this.#reader.take(memory, ranges))
  }

  end(): void {
    clearTimeout(this.#lingering)
    this.#attempt(() => this.#reader.end())
    this.finish()
  }

  /** The bytes broke off; what arrived before is still handed over. */
  fail(cause: Error): void {
    clearTimeout(this.#lingering)
    this.#failed(cutError(cause, 'The connection to upstream broke in the middle of its answer.'))
  }

  pause(): void {
    if (!this.#over) this.#body.pause()
  }

  resume(): void {
    if (!this.#over) this.#body.resume()
  }

  /** The last event that matters was read: the stream counts as ended, whatever upstream does (docs/upstream.md 11). */
  finish(): void {
    if (this.#over) return
    this.#over = true
    // A short answer has ended within this read. There is nothing to wait for then, and a timer would keep the whole
    // request in memory.
    if (!this.#body.over) {
      this.#body.resume()
      this.#lingering = setTimeout(() => this.#body.abort(), LINGER_MS).unref()
    }
    this.#resolve()
  }

  /** Upstream would continue with what nobody wants: its request is closed at once, since every token is paid for. */
  abandon(): void {
    this.#over = true
    this.#body.abort()
    this.#resolve()
  }

  #attempt(work: () => void): void {
    if (this.#over) return
    try {
      work()
      this.#batchEnd()
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#body.abort()
    this.#reject(error)
  }
}
