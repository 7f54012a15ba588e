import { ProxyError } from '../errors.ts'
import type { TakeFrames } from '../sse/frame-reader.ts'
import { StreamReader } from '../sse/stream-reader.ts'
import type { AnswerBody, UpstreamAnswer } from '../upstream/exchange.ts'
import type { Source } from './client-stream.ts'

/** How long upstream may keep its side open after the last event that matters, so that its connection can be reused. */
const LINGER_MS = 1000

/** Reads the event stream of one upstream answer. */
export class EventStream implements Source {
  readonly #body: AnswerBody
  readonly #maxEvent: number
  #reader: StreamReader | undefined
  #lingering: NodeJS.Timeout | undefined
  #bodyOver = false

  constructor({ body }: UpstreamAnswer, maxEvent: number) {
    this.#body = body
    this.#maxEvent = maxEvent
  }

  /**
   * Hands over frames until `finish`, and tells when all of one read have been; rejects when the stream breaks, or with
   * what `takeFrames` threw.
   */
  read(takeFrames: TakeFrames, batchEnd: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: unknown) => {
        this.#body.abort()
        reject(error)
      }
      const reader = new StreamReader({ frames: takeFrames, batchEnd, ended: resolve, failed }, this.#maxEvent)
      this.#reader = reader
      this.#body.pipe({
        data: (bytes) => reader.data(bytes),
        end: () => {
          this.#leave()
          reader.end()
        },
        fail: (cause) => {
          this.#leave()
          reader.fail(cutError(cause))
        },
      })
    })
  }

  pause(): void {
    this.#body.pause()
  }

  resume(): void {
    this.#body.resume()
  }

  /** The last event that matters was read: the stream counts as ended, whatever upstream does (wire.md 11). */
  finish(): void {
    // A short answer ends in the same read as its last event: nothing is left to wait for, and a timer would keep all
    // of the request in memory meanwhile.
    if (!this.#bodyOver) {
      this.#body.resume()
      this.#lingering = setTimeout(() => this.#body.abort(), LINGER_MS).unref()
    }
    this.#reader?.finish()
  }

  #leave(): void {
    this.#bodyOver = true
    clearTimeout(this.#lingering)
  }
}

/** undici names a silence beyond the idle timeout `UND_ERR_BODY_TIMEOUT`. */
function cutError(cause: unknown): ProxyError {
  if (cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_BODY_TIMEOUT') {
    return new ProxyError('upstream_timeout', 'Upstream fell silent in the middle of its answer.', { cause })
  }
  return new ProxyError('upstream_stream_cut', 'The connection to upstream broke in the middle of its answer.', {
    cause,
  })
}
