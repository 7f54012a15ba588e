import type { StreamEvent } from './event-stream.ts'
import type { RecordedRequest } from './recorded-request.ts'

/** What the fake upstream answers. */
export type Answer = (
  | RecordedAnswer
  | { readonly events: readonly StreamEvent[]; readonly headers?: Headers }
  | PlainAnswer
  /** The connection ends without any answer, or nothing ever comes. */
  | { readonly connection: 'reset' | 'hang' }
) &
  Shaping

type Headers = Readonly<Record<string, string | string[]>>

type RecordedAnswer = {
  /** The name of a folder in test/fixtures. On the ChatGPT side the last event's `output` is emptied, as it is sent today. */
  readonly fixture: string
  readonly headers?: Headers
}

type PlainAnswer = {
  readonly status: number
  readonly headers?: Headers
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object
}

/** How the bytes of an answer travel. Sizes are in bytes of the body. */
export type Shaping = {
  /** The body is cut into separate writes of so many bytes; else each event is one. */
  readonly cut?: number | 'every-byte'
  /** A pause before each write; for people who watch, tests use a gate. */
  readonly delayMs?: number
  /** Each write waits until the gate lets it pass. */
  readonly gate?: Gate
  /** After so many bytes the connection ends, in the middle of the answer. */
  readonly dropAfter?: number
  /** The same with a TCP reset. */
  readonly resetAfter?: number
  /** After so many bytes nothing more comes, but the connection stays. */
  readonly stallAfter?: number
  /** The whole body is sent, but the answer is not ended. */
  readonly keepOpenAfterEnd?: boolean
  readonly noContentType?: boolean
}

export type Answerer = Answer | ((request: RecordedRequest) => Answer | Promise<Answer>)

/** Lets writes pass one by one, so that a test decides when each event leaves. */
export type Gate = {
  /** Lets `count` more writes pass. */
  release(count?: number): void
  /** Lets everything pass from now on. */
  open(): void
  /** For the writer. */
  pass(): Promise<void>
}

export function createGate(): Gate {
  let permits = 0
  const waiting: (() => void)[] = []
  return {
    release(count = 1) {
      permits += count
      while (permits > 0 && waiting.length > 0) {
        permits--
        waiting.shift()?.()
      }
    },
    open() {
      this.release(Number.POSITIVE_INFINITY)
    },
    async pass() {
      if (permits > 0) {
        permits--
        return
      }
      await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}
