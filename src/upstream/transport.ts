import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { type Cancellable, type Cancellation, ProxyStopped } from '../cancellation.ts'
import { totalLength } from '../runtime/buffers.ts'
import { nowOrAtEndOfTurn } from '../runtime/end-of-turn.ts'
import { type AnswerBody, type BodySink, type UpstreamAnswer, UpstreamSilent } from './answer.ts'
import type { BodyMemory } from './body-memory.ts'
import { withoutRepeats } from './repeated-headers.ts'
import { ReadGatherer, type SocketRead } from './socket-read.ts'

type WireRequest = {
  readonly origin: string
  readonly method: string
  readonly path: string
  /** Names alternating with values. */
  readonly headers: string[]
  readonly body: readonly Buffer[] | undefined
  /** The memory behind the pieces of the body. */
  readonly memory?: BodyMemory | undefined
  /** Milliseconds of silence within the answer after which it is aborted. */
  readonly idleTimeout: number
  /** Milliseconds until the answer has to begin, if the limit of the settings does not apply. */
  readonly headerTimeout?: number
}

/**
 * One HTTP exchange with undici's `dispatch`, the cheapest of its interfaces (measured in docs/performance.md).
 * Resolves at the answer's head. Rejects with undici's own error, or with the reason of the cancellation.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: WireRequest,
  cancellation: Cancellation,
): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    const running = cancellation.add(new Exchange({ resolve, reject }, request.idleTimeout, cancellation))
    dispatcher.dispatch(
      {
        origin: request.origin,
        // undici's type lists the methods of RFC 9110; any token is sent unchanged.
        method: request.method as Dispatcher.HttpMethod,
        path: request.path,
        headers: withLength(request.headers, request.body),
        body: toUndiciBody(request),
        headersTimeout: request.headerTimeout ?? null,
      },
      running,
    )
  })
}

/** Pieces are sent with a length, not chunked: some gateways refuse chunked requests. */
function withLength(headers: string[], body: readonly Buffer[] | undefined): string[] {
  if (body === undefined || isSmall(body)) return headers
  return [...headers, 'content-length', String(totalLength(body))]
}

const LARGEST_SMALL_BODY = 64 * 1024

/** Sent in one piece, together with the head. */
function isSmall(body: readonly Buffer[]): boolean {
  return body.length < 2 && (body[0]?.length ?? 0) <= LARGEST_SMALL_BODY
}

function toUndiciBody({ body, memory }: Pick<WireRequest, 'body' | 'memory'>): Buffer | null {
  memory?.retain()
  // There is no signal when a body in one piece has been sent: its memory stays lent.
  if (body === undefined || isSmall(body)) return body?.[0] ?? null
  // undici sends any iterable of buffers, which its types don't say (lib/core/request.js, isIterable).
  return lettingGo(body, memory) as unknown as Buffer
}

/**
 * How much a socket buffers before it asks to wait, Node's own or undici's (lib/core/connect.js): after a piece of this
 * size, the next one is requested only when all of it has been sent.
 */
const WAITED_FOR = 64 * 1024

/**
 * undici keeps a body until its answer has ended, which may take an hour. This releases pieces as they are sent. Small
 * ones, which undici does not wait for, are copied, so that nothing of `memory` remains to be sent at the end.
 */
function lettingGo(body: readonly Buffer[], memory: BodyMemory | undefined): Iterable<Buffer> {
  const pieces = body.flatMap(inParts).toReversed()
  // Not a generator: one that has ended still holds its arguments.
  function next(): IteratorResult<Buffer> {
    const piece = pieces.pop()
    if (piece !== undefined) return { done: false, value: piece.length < WAITED_FOR ? Buffer.from(piece) : piece }
    memory?.release()
    return { done: true, value: undefined }
  }
  return { [Symbol.iterator]: () => ({ next }) }
}

/**
 * undici restarts its limit for the head of the answer with each piece that it has to wait for. Sent in one piece, a
 * large upload on a slow line would look like an answer that does not begin.
 */
const LONGEST_PART = 1024 * 1024

function inParts(piece: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < piece.length; at += LONGEST_PART) parts.push(piece.subarray(at, at + LONGEST_PART))
  return parts
}

/** A sink is mostly attached in the same turn as the head; pausing until then would make undici read the rest twice. */
const MAX_EARLY_BYTES = 256 * 1024

/** The caller, until the head of the answer has arrived. */
type Waiting = {
  readonly resolve: (answer: UpstreamAnswer) => void
  readonly reject: (error: unknown) => void
}

class Exchange implements Dispatcher.DispatchHandler, AnswerBody, Cancellable {
  /** Undefined once answered: the promise would keep all headers as long as the stream lasts. */
  #waiting: Waiting | undefined
  readonly #idleTimeout: number
  readonly #cancellation: Cancellation
  #controller: Dispatcher.DispatchController | undefined
  #sink: BodySink | undefined
  readonly #gathered = new ReadGatherer((read) => this.#hand(read))
  /** What arrived before there was a sink, mostly in the same socket read as the head. */
  #early: SocketRead[] = []
  #earlyBytes = 0
  /** undici's own limit costs something for every event instead of every read (docs/performance.md). */
  #silence: NodeJS.Timeout | undefined
  #outcome: 'end' | Error | undefined
  #answered = false
  #cancelled: Error | undefined

  constructor(waiting: Waiting, idleTimeout: number, cancellation: Cancellation) {
    this.#waiting = waiting
    this.#idleTimeout = idleTimeout
    this.#cancellation = cancellation
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#cancelled !== undefined) controller.abort(this.#cancelled)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // These are views of the whole first read, which undici would keep as long as the stream lasts.
    controller.rawHeaders = null
    if (status < 200) return
    this.#answered = true
    nowOrAtEndOfTurn(() => {
      this.#waiting?.resolve({ status, headers: withoutRepeats(headers), body: this })
      this.#waiting = undefined
    })
  }

  onResponseData(_controller: Dispatcher.DispatchController, bytes: Buffer): void {
    this.#gathered.add(bytes)
    if (this.#sink !== undefined) return
    this.#earlyBytes += bytes.length
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.pause()
  }

  onResponseEnd(): void {
    this.#settle('end')
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle(error)
  }

  get over(): boolean {
    return this.#outcome !== undefined
  }

  pipe(sink: BodySink): void {
    this.#sink = sink
    const early = this.#early
    this.#early = []
    for (const read of early) this.#hand(read)
    if (this.#outcome !== undefined) {
      this.#tell(this.#outcome)
      return
    }
    // Only now, since a short answer has ended already.
    this.#silence = setTimeout(() => this.#fellSilent(), this.#idleTimeout)
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.resume()
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#silence?.refresh()
    this.#controller?.resume()
  }

  abort(): void {
    this.cancel(new Error('The exchange was ended by the proxy.'))
  }

  cancel(reason: Error): void {
    if (reason instanceof ProxyStopped && this.#controller !== undefined) {
      // The sink is told, after everything that arrived before, since its client is still connected.
      this.#controller.abort(reason)
      return
    }
    this.#cancelled = reason
    this.#cancellation.remove(this)
    this.#stopSilence()
    this.#waiting?.reject(reason)
    this.#controller?.abort(reason)
  }

  /** While the body is paused, silence is not upstream's fault; `resume` restarts the timer. */
  #fellSilent(): void {
    if (this.#controller?.paused === true) return
    const message = `Upstream was silent for ${this.#idleTimeout / 1000} s in the middle of its answer (--idle-timeout).`
    this.#controller?.abort(new UpstreamSilent(message))
  }

  #stopSilence(): void {
    clearTimeout(this.#silence)
    this.#silence = undefined
  }

  #hand(read: SocketRead): void {
    if (this.#cancelled !== undefined) return
    this.#silence?.refresh()
    if (this.#sink === undefined) this.#early.push(read)
    else this.#sink.data(read)
  }

  #settle(outcome: 'end' | Error): void {
    this.#outcome = outcome
    this.#stopSilence()
    if (outcome !== 'end' && !this.#answered) this.#waiting?.reject(outcome)
    nowOrAtEndOfTurn(() => this.#tell(outcome))
  }

  /** Hands over the last bytes and how the body ended; once. */
  #tell(outcome: 'end' | Error): void {
    this.#gathered.flush()
    this.#cancellation.remove(this)
    const sink = this.#sink
    if (sink === undefined || this.#cancelled !== undefined) return
    this.#sink = undefined
    if (outcome === 'end') sink.end()
    else sink.fail(outcome)
  }
}
