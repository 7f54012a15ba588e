import type { IncomingMessage } from 'node:http'
import type { Config } from '../config/options.ts'
import { ProxyError } from '../errors.ts'
import { freeMemory } from '../runtime/buffers.ts'
import { nowOrAtEndOfTurn } from '../runtime/end-of-turn.ts'
import { contentCodings, decode } from './content-coding.ts'

type BodyLimits = Pick<Config, 'maxBody' | 'maxDecodedBody'>

/**
 * The whole body, decoded. Throws `request_too_large` before reading or decoding more than the limits,
 * `unsupported_content_encoding` before reading anything, and `invalid_body` for what can't be decoded or was cut off.
 * How long a client may take is up to the server's `requestTimeout`.
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const codings = contentCodings(request.headers['content-encoding'])
  if (codings.length === 0) {
    return await readRawBody(request, { maxBody: Math.min(limits.maxBody, limits.maxDecodedBody) })
  }
  return decode(await readRawBody(request, limits), codings, limits.maxDecodedBody)
}

/** The body exactly as sent. Bytes beyond the limit are not kept, and the request can still be answered. */
export function readRawBody(request: IncomingMessage, { maxBody }: Pick<BodyLimits, 'maxBody'>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const announced = Number(request.headers['content-length'] ?? Number.NaN)
    if (announced > maxBody) {
      reject(tooLarge(maxBody))
      return
    }
    if (request.destroyed) {
      reject(cutOff())
      return
    }
    const body = Number.isNaN(announced) ? new GrowingBuffer(maxBody, GROWTH) : new GrowingBuffer(announced, Infinity)
    // Undefined once the body is complete or refused. The listeners stay, and would otherwise keep the promise and its
    // body alive; and the `close` of every request would create an error, with a costly stack trace, that nobody sees.
    let reading: Reading | undefined = { body, resolve, reject }

    request.on('data', (bytes: Buffer) => {
      if (reading === undefined || reading.body.add(bytes)) return
      reading.reject(tooLarge(maxBody))
      reading = undefined
      request.pause()
    })
    request.on('end', () => {
      if (reading === undefined) return
      const whole = reading
      reading = undefined
      nowOrAtEndOfTurn(() => whole.resolve(whole.body.bytes()))
    })
    request.on('close', () => {
      reading?.reject(cutOff())
    })
  })
}

type Reading = {
  readonly body: GrowingBuffer
  readonly resolve: (whole: Buffer) => void
  readonly reject: (error: ProxyError) => void
}

/**
 * A body gets all the memory it has announced once this much has really arrived: untouched memory costs nothing, but a
 * client that only announces a large body should not make us allocate it.
 */
const FIRST_ROOM = 1024 * 1024
/** Bodies of unknown length grow by this factor. */
const GROWTH = 4

/**
 * Copies pieces together as they arrive: kept one by one, a body sent in chunks of one byte would cost a hundred times
 * its size. The only piece of a small body is not copied. Copied pieces are freed, since a large body has hundreds of
 * them, each in memory of its own.
 */
class GrowingBuffer {
  readonly #limit: number
  readonly #growth: number
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0

  constructor(limit: number, growth: number) {
    this.#limit = limit
    this.#growth = growth
  }

  /** False, and nothing is added, when the limit would be passed. */
  add(piece: Buffer): boolean {
    const length = this.#length + piece.length
    if (length > this.#limit) return false
    if (this.#length === 0) this.#buffer = piece
    else {
      if (length > this.#buffer.length) this.#grow(length)
      piece.copy(this.#buffer, this.#length)
      freeMemory(piece)
    }
    this.#length = length
    return true
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #grow(needed: number): void {
    const room = needed <= FIRST_ROOM ? FIRST_ROOM : Math.max(needed, this.#buffer.length * this.#growth)
    const larger = Buffer.allocUnsafeSlow(Math.min(room, this.#limit))
    this.#buffer.copy(larger, 0, 0, this.#length)
    freeMemory(this.#buffer)
    this.#buffer = larger
  }
}

function tooLarge(maxBody: number): ProxyError {
  return new ProxyError('request_too_large', `The body is larger than ${maxBody} bytes.`)
}

function cutOff(): ProxyError {
  return new ProxyError('invalid_body', 'The connection was closed before the end of the body.')
}
