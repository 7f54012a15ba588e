/** One HTTP request, as far as the fake upstream looks at it. */
export type Request = {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** The beginning of the body; the order is in it. */
  readonly bodyStart: Buffer
  readonly bodyBytes: number
}

/** As much of a body as is kept. */
const KEPT_BYTES = 64 * 1024
const HEAD_END = '\r\n\r\n'
const LINE_END = '\r\n'

/**
 * Reads HTTP/1.1 requests off one connection. It does no more than the bench needs: it trusts its clients, who are the
 * bench itself and the proxies under test.
 */
export class RequestReader {
  readonly #onRequest: (request: Request) => void
  #head = Buffer.alloc(0)
  #start: { method: string; path: string } | undefined
  #kept: Buffer[] = []
  #keptBytes = 0
  #bodyBytes = 0
  /** Bytes missing of the body, or of the current chunk and its line end. */
  #missing = 0
  #chunked = false

  constructor(onRequest: (request: Request) => void) {
    this.#onRequest = onRequest
  }

  feed(bytes: Buffer): void {
    let rest = bytes
    while (rest.length > 0) rest = this.#start === undefined ? this.#readHead(rest) : this.#readBody(rest)
  }

  #readHead(bytes: Buffer): Buffer {
    const read = this.#join(bytes)
    const end = read.indexOf(HEAD_END)
    if (end === -1) return this.#keep(read)
    const [first = '', ...fields] = read.toString('latin1', 0, end).split(LINE_END)
    const [method = '', target = ''] = first.split(' ')
    const [path = ''] = target.split('?')
    this.#start = { method, path }
    this.#chunked = fields.some((field) => /^transfer-encoding: *chunked/i.test(field))
    this.#missing = Number(
      fields.find((field) => /^content-length:/i.test(field))?.slice('content-length:'.length) ?? 0,
    )
    if (!this.#chunked && this.#missing === 0) this.#finish()
    return read.subarray(end + HEAD_END.length)
  }

  #readBody(bytes: Buffer): Buffer {
    if (this.#chunked && this.#missing === 0) return this.#readChunkSize(bytes)
    const part = bytes.subarray(0, this.#missing)
    this.#missing -= part.length
    this.#bodyBytes += part.length
    if (this.#keptBytes < KEPT_BYTES) {
      this.#kept.push(Buffer.from(part.subarray(0, KEPT_BYTES - this.#keptBytes)))
      this.#keptBytes += part.length
    }
    if (!this.#chunked && this.#missing === 0) this.#finish()
    return bytes.subarray(part.length)
  }

  /** The line end after a chunk is counted with it: an order in it would still be found. */
  #readChunkSize(bytes: Buffer): Buffer {
    const read = this.#join(bytes)
    const end = read.indexOf(LINE_END)
    if (end === -1) return this.#keep(read)
    const size = Number.parseInt(read.toString('latin1', 0, end), 16)
    if (size > 0) {
      this.#missing = size + LINE_END.length
      return read.subarray(end + LINE_END.length)
    }
    if (read.length < end + HEAD_END.length) return this.#keep(read)
    this.#finish()
    return read.subarray(end + HEAD_END.length)
  }

  #join(bytes: Buffer): Buffer {
    const joined = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes])
    this.#head = Buffer.alloc(0)
    return joined
  }

  #keep(bytes: Buffer): Buffer {
    this.#head = Buffer.from(bytes)
    return Buffer.alloc(0)
  }

  #finish(): void {
    const { method, path } = this.#start ?? { method: '', path: '' }
    const request = { method, path, bodyStart: Buffer.concat(this.#kept), bodyBytes: this.#bodyBytes }
    this.#start = undefined
    this.#kept = []
    this.#keptBytes = 0
    this.#bodyBytes = 0
    this.#onRequest(request)
  }
}
