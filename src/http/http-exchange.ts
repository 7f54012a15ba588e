import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { Cancellation } from '../cancellation.ts'
import type { Config } from '../config/options.ts'
import type { ApiError } from '../errors.ts'
import type { Answer, ApiRequest } from '../routes/api-request.ts'
import { limitReading } from '../routes/streaming/slow-client.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'
import { type AnswerHeaders, addHeaders, sendAnswer, sendError, writeHead } from './answers.ts'
import { refusalOn } from './client-errors.ts'
import { requireJson } from './content-type.ts'
import { readBody, readRawBody } from './request-body.ts'

/** Why the work for a client that disconnected is cancelled. */
class ClientLeft extends Error {
  override readonly name = 'ClientLeft'
}

type Limits = Pick<Config, 'maxBody' | 'maxDecodedBody' | 'slowClientTimeout'>

/** One request, from its arrival until its connection is done with it. */
export class HttpExchange implements ApiRequest {
  readonly record: RequestRecord
  readonly url: string
  readonly cancellation = new Cancellation()
  authenticated = false
  /** Headers of the answer, whatever it will be. */
  readonly #answerHeaders: AnswerHeaders
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #limits: Limits
  #whenClosed: readonly (() => void)[] = []
  #isClosed = false

  /** `url` in its canonical form. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    { record, url, limits }: { record: RequestRecord; url: string; limits: Limits },
  ) {
    this.#request = request
    this.#response = response
    this.#limits = limits
    this.record = record
    this.url = url
    // The first is replaced by upstream's id, which is the one OpenAI knows.
    this.#answerHeaders = ['x-request-id', record.id, 'x-codex-proxy-request-id', record.id]
    response.on('close', () => this.#closed())
  }

  get method(): string {
    return this.record.method
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers
  }

  // Bodies stay unread until a route asks for them, as bytes: what is passed through is never re-encoded.
  jsonBody(): Promise<Buffer> {
    requireJson(this.#request.headers)
    return readBody(this.#request, this.#limits)
  }

  rawBody(): Promise<Buffer> {
    return readRawBody(this.#request, this.#limits)
  }

  setHeaders(added: Readonly<Record<string, string>>): void {
    addHeaders(this.#answerHeaders, added)
  }

  takeOver(status: number, added: Readonly<Record<string, string | string[]>>): ServerResponse {
    const response = writeHead(this.#response, status, this.#answerHeaders, added)
    // The answer may take an hour, and whoever streams it has read what it needs of the request.
    this.#request.headers = {}
    this.#request.rawHeaders = []
    return response
  }

  /** Sends an answer that is not a stream, and gives up on a client that does not read it. */
  answer(answer: Answer): void {
    sendAnswer(this.#response, this.#answerHeaders, answer)
    limitReading(this.#response, this.#limits.slowClientTimeout)
  }

  /** Answers with an error, or cuts off an answer that has begun. */
  fail(error: ApiError): void {
    const { record } = this
    if (error.code !== null) record.code = error.code
    // A client that gets its answer and disconnects while still sending is not counted as aborted.
    if (!this.#request.complete && !this.#response.headersSent) record.status = error.status
    sendError(this.#request, this.#response, this.#answerHeaders, error)
  }

  /**
   * Calls `work` at once if the request is already closed, so that a place given to a disconnecting client is given
   * back.
   */
  onClose(work: () => void): void {
    if (this.#isClosed) work()
    else this.#whenClosed = this.#whenClosed.concat(work)
  }

  #closed(): void {
    const { record } = this
    const response = this.#response
    this.#isClosed = true
    this.#noteRefusal()
    if (record.status === 0 && response.writableFinished) record.status = response.statusCode
    record.aborted = !response.writableFinished && record.status < 400
    if (!response.writableFinished) {
      this.cancellation.cancel(new ClientLeft('The client left before the end of its answer.'))
    }
    for (const work of this.#whenClosed) work()
  }

  /** If the rest of the request came too late or was not HTTP, the client did not disconnect but was refused. */
  #noteRefusal(): void {
    const refusal = refusalOn(this.#request.socket)
    // Upstream may have brought a whole answer that could no longer be sent.
    const isTold = this.record.status >= 400 || this.#response.writableFinished
    if (refusal === undefined || isTold) return
    this.record.status = refusal.status
    this.record.code = refusal.code
  }
}
