import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ApiError, errorBody } from '../errors.ts'
import type { Answer } from '../routes/api-request.ts'

type Headers = Readonly<Record<string, string>>

/** Sends an answer that is no stream; `common` are the headers that it has whatever it is. */
export function sendAnswer(response: ServerResponse, common: Headers, { status, headers = {}, body }: Answer): void {
  const bytes =
    typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.from(body) : Buffer.from(JSON.stringify(body))
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body)
  const empty = status === 204 || status === 304
  response.writeHead(status, {
    ...common,
    ...(isJson && { 'content-type': 'application/json; charset=utf-8' }),
    ...headers,
    // RFC 9110 §8.6: these two have none.
    ...(!empty && { 'content-length': String(bytes.length) }),
  })
  response.end(empty ? undefined : bytes)
}

export function sendError(request: IncomingMessage, response: ServerResponse, common: Headers, error: ApiError): void {
  if (response.headersSent) {
    // An answer that has begun can only be broken off, so that nobody takes it for whole.
    response.destroy()
    return
  }
  // What was not read of a refused body must not be taken for the next request. And out of file descriptors only closed
  // connections make room for others, which wait to be accepted meanwhile.
  const rest = request.complete && error.status < 500 ? {} : { connection: 'close' }
  sendAnswer(response, common, { status: error.status, headers: { ...error.headers, ...rest }, body: errorBody(error) })
}
