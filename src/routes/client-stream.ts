import type { ServerResponse } from 'node:http'
import { KEEP_ALIVE_FRAME } from '../sse/frames.ts'
import type { ApiRequest } from './api-request.ts'
import { limitReading } from './slow-client.ts'

/** Where the answer comes from; paused while the client does not read. */
export type Source = {
  pause(): void
  resume(): void
  /** Resolves when nothing more comes. */
  read(): Promise<void>
}

type Settings = {
  /** Milliseconds of silence before a comment is sent. */
  readonly keepAlive: number
  /** Milliseconds a client may leave data unread before it is given up. */
  readonly slowClientTimeout: number
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies between us and the client must neither buffer nor recode (case 173).
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/**
 * Writes one event stream to the client. The 200 is held back until `open`, so that early failures keep their status,
 * but no longer than the first keep-alive: clients time out on headers. Back-pressure pauses the sources.
 */
export class ClientStream {
  readonly #request: Pick<ApiRequest, 'takeOver'>
  readonly #settings: Settings
  readonly #sources = new Set<Source>()
  /** Runs from the first answer's head on. */
  #silence: NodeJS.Timeout | undefined
  #response: ServerResponse | undefined
  /** The answer has no length, so that it is sent in HTTP chunks (RFC 9112 §7.1). */
  #chunked = false
  /** The 200 is on its way. */
  #announced = false
  #stalled: NodeJS.Timeout | undefined
  #held = ''

  constructor(request: Pick<ApiRequest, 'takeOver'>, settings: Settings) {
    this.#request = request
    this.#settings = settings
  }

  get opened(): boolean {
    return this.#response !== undefined
  }

  /** Reads the source to its end: no faster than the client does, and with a sign of life in every silence. */
  async follow(source: Source): Promise<void> {
    const reading = source.read()
    // A short answer has been read and sent by now.
    if (this.#response?.writableEnded !== true) this.#addSource(source)
    try {
      await reading
    } finally {
      this.#sources.delete(source)
    }
  }

  /** Sends the 200 with the next write, also of nothing. */
  open(): void {
    if (this.#response !== undefined) return
    const response = this.#begin()
    if (response.destroyed) {
      // The client left in the meantime: its `close` was before, and no timer may outlive it.
      this.#stopTimers()
      return
    }
    response.on('drain', () => this.#drained())
    response.once('close', () => this.#stopTimers())
    const held = this.#held
    this.#held = ''
    if (held !== '') this.write(held)
  }

  /** Latin1 text of whole frames; kept until `open`. */
  write(text: string): void {
    if (this.#response === undefined) {
      this.#held += text
      return
    }
    if (this.#response.destroyed || this.#response.writableEnded) return
    if (text === '') {
      this.#announce(this.#response)
      return
    }
    this.#announced = true
    this.#silence?.refresh()
    if (!this.#response.write(this.#chunked ? httpChunk(text) : text, 'latin1')) this.#full()
  }

  /** What was kept came from an attempt that failed. */
  forgetHeld(): void {
    this.#held = ''
  }

  /** An answer of which nothing was sent yet goes out as a whole, in one write. */
  end(text = ''): void {
    this.#stopTimers()
    const response = this.#response ?? this.#begin()
    // Of the choices of one answer that fail at once, the first has told it.
    if (response.writableEnded) return
    const rest = this.#held + text
    response.end(this.#chunked ? httpChunk(rest) + LAST_CHUNK : rest, 'latin1')
    limitReading(response, this.#settings.slowClientTimeout)
  }

  /** Gives up without having opened: the answer will be an ordinary one. */
  discard(): void {
    this.#stopTimers()
  }

  #begin(): ServerResponse {
    const response = this.#request.takeOver(200, STREAM_HEADERS)
    this.#response = response
    // Node writes a chunk in four pieces; framed here it is one, and most events come alone (docs/performance.md).
    this.#chunked = response.chunkedEncoding
    response.chunkedEncoding = false
    return response
  }

  #addSource(source: Source): void {
    this.#sources.add(source)
    this.#silence ??= setTimeout(() => this.#keepAlive(), this.#settings.keepAlive)
    if (this.#stalled !== undefined) source.pause()
  }

  /** A model may think for minutes before its first word: that it was asked is news for the client. */
  #announce(response: ServerResponse): void {
    if (this.#announced) return
    this.#announced = true
    response.flushHeaders()
  }

  #keepAlive(): void {
    this.open()
    if (this.#response?.destroyed) return
    if (this.#stalled === undefined) this.write(KEEP_ALIVE_FRAME)
    this.#silence?.refresh()
  }

  #full(): void {
    if (this.#stalled !== undefined) return
    for (const source of this.#sources) source.pause()
    this.#stalled = setTimeout(() => this.#response?.destroy(), this.#settings.slowClientTimeout)
  }

  #drained(): void {
    if (this.#stalled === undefined) return
    clearTimeout(this.#stalled)
    this.#stalled = undefined
    for (const source of this.#sources) source.resume()
  }

  #stopTimers(): void {
    clearTimeout(this.#silence)
    clearTimeout(this.#stalled)
  }
}

const LAST_CHUNK = '0\r\n\r\n'

/** Latin1 text: a character is a byte. An empty chunk would be the last one. */
function httpChunk(text: string): string {
  return text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`
}
