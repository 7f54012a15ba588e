import type { ServerResponse } from 'node:http'
import type { Cancellable } from '../../cancellation.ts'
import { FrameOutput, reuse } from '../../sse/frame-output.ts'
import { KEEP_ALIVE_FRAME } from '../../sse/frames.ts'
import type { ApiRequest } from '../api-request.ts'
import { endReadingLimit, limitReading } from './slow-client.ts'

/** The source of the answer. It is paused while the client does not read, which has no effect after its end. */
export type Source = {
  pause(): void
  resume(): void
  /** Resolves when nothing more comes. */
  read(): Promise<void>
}

type Settings = {
  /** Milliseconds of silence before a comment is sent. */
  readonly keepAlive: number
  /** Milliseconds a client may leave data unread before it is cut off. */
  readonly slowClientTimeout: number
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies between us and the client must neither buffer nor transform (case 173).
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/**
 * Writes one event stream to the client. The 200 is held back until `open`, so that early failures keep their status,
 * but no longer than the first keep-alive: clients time out on headers. Back-pressure pauses the sources.
 */
export class ClientStream implements Cancellable {
  /** What is to be sent next; kept until the stream is open. */
  readonly out = new FrameOutput()
  readonly #request: Pick<ApiRequest, 'takeOver' | 'cancellation'>
  readonly #settings: Settings
  /** Called with everything that is sent. */
  readonly #sent: ((bytes: Buffer) => void) | undefined
  #sources: readonly Source[] = []
  /** The timer for the next keep-alive; runs from the first answer's head on. */
  #silence: NodeJS.Timeout | undefined
  #response: ServerResponse | undefined
  /** Whether the answer is sent in HTTP chunks, since its length is not known (RFC 9112 §7.1). */
  #chunked = false
  /** The 200 is on its way. */
  #announced = false
  /** The client does not read; the sources are paused. */
  #stalled = false

  constructor(
    request: Pick<ApiRequest, 'takeOver' | 'cancellation'>,
    settings: Settings,
    sent?: (bytes: Buffer) => void,
  ) {
    this.#request = request
    this.#settings = settings
    this.#sent = sent
  }

  get opened(): boolean {
    return this.#response !== undefined
  }

  /** Reads the source to its end: no faster than the client does, and with a keep-alive in every silence. */
  follow(source: Source): Promise<void> {
    const reading = source.read()
    // A short answer has been read and sent already.
    if (this.#response?.writableEnded !== true) this.#addSource(source)
    return reading
  }

  /** From now on the next `flush` sends the 200, even if there is nothing to send with it. */
  open(): void {
    if (this.#response === undefined) this.#begin()
  }

  /**
   * Gives up: the client has disconnected, or nothing was opened and the answer will be a normal one. No timer may
   * outlive it.
   */
  cancel(): void {
    clearTimeout(this.#silence)
  }

  /** Sends what is in `out`, if the stream is open. */
  flush(): void {
    const response = this.#response
    if (response === undefined) this.out.settle()
    else if (response.destroyed || response.writableEnded) this.out.clear()
    else if (this.out.length > 0) this.#write(response)
    else {
      this.out.settle()
      this.#announce(response)
    }
  }

  /** Ends with what is in `out`; an answer of which nothing was sent yet is sent as a whole, in one write. */
  end(): void {
    this.cancel()
    const response = this.#response ?? this.#begin()
    // As with `flush`, nothing is sent after the end.
    if (response.writableEnded) return
    response.end(this.#taken(LAST_CHUNK))
    limitReading(response, this.#settings.slowClientTimeout)
  }

  #begin(): ServerResponse {
    const response = this.#request.takeOver(200, STREAM_HEADERS)
    this.#response = response
    // Node would write each chunk in four pieces. Framed here it is one, and most events are one chunk
    // (docs/performance.md).
    this.#chunked = response.chunkedEncoding
    response.chunkedEncoding = false
    return response
  }

  #write(response: ServerResponse): void {
    this.#announced = true
    this.#silence?.refresh()
    const bytes = this.#taken()
    const written = (error?: Error | null) => {
      if (!error) reuse(bytes)
    }
    if (!response.write(bytes, written)) this.#full(response)
  }

  /** The content of `out`, as an HTTP chunk if necessary. An empty chunk would end the answer. */
  #taken(after = ''): Buffer {
    const { length } = this.out
    const [size, end] = this.#chunked && length > 0 ? [`${length.toString(16)}\r\n`, '\r\n'] : ['', '']
    const taken = this.out.take(size, this.#chunked ? end + after : '')
    this.#sent?.(taken.subarray(size.length, size.length + length))
    return taken
  }

  #addSource(source: Source): void {
    this.#sources = this.#sources.concat(source)
    if (this.#stalled) source.pause()
    if (this.#silence !== undefined) return
    this.#silence = setTimeout(() => this.#keepAlive(), this.#settings.keepAlive)
    this.#request.cancellation.add(this)
  }

  /** Sends the head alone: a model may think for minutes before its first word. */
  #announce(response: ServerResponse): void {
    if (this.#announced) return
    this.#announced = true
    response.flushHeaders()
  }

  #keepAlive(): void {
    this.open()
    if (!this.#stalled) {
      this.out.text(KEEP_ALIVE_FRAME)
      this.flush()
    }
    this.#silence?.refresh()
  }

  #full(response: ServerResponse): void {
    if (this.#stalled) return
    this.#stalled = true
    for (const source of this.#sources) source.pause()
    limitReading(response, this.#settings.slowClientTimeout)
    response.once('drain', () => this.#drained(response))
  }

  #drained(response: ServerResponse): void {
    this.#stalled = false
    endReadingLimit(response)
    for (const source of this.#sources) source.resume()
  }
}

const LAST_CHUNK = '0\r\n\r\n'
