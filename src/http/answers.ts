import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ApiError, errorBody } from '../errors.ts'
import type { Answer } from '../routes/api-request.ts'
import { discardRest } from './linger.ts'

/** By names in lower case: what an answer carries, whatever it will be. */
export type AnswerHeaders = Map<string, string | string[]>

/**
 * Begins an answer; `added` take the place of `headers` of the same name. A flat list is what Node puts into bytes with
 * the least work.
 */
export function writeHead(
  response: ServerResponse,
  status: number,
  headers: AnswerHeaders,
  added: Readonly<Record<string, string | string[]>>,
): ServerResponse {
  const flat: (string | string[])[] = []
  headers.forEach((value, name) => {
    if (!Object.hasOwn(added, name)) flat.push(name, value)
  })
  for (const name in added) flat.push(name, added[name] ?? '')
  return response.writeHead(status, flat)
}

export function addHeaders(headers: AnswerHeaders, added: Readonly<Record<string, string | string[]>>): void {
  for (const name in added) headers.set(name, added[name] ?? '')
}

/** Sends an answer that is no stream. */
export function sendAnswer(response: ServerResponse, common: AnswerHeaders, answer: Answer): void {
  response.end(beginAnswer(response, common, answer))
}

/** Writes the head and returns the body that goes with it, which Node leaves out where none may be sent. */
function beginAnswer(response: ServerResponse, common: AnswerHeaders, { status, headers = {}, body }: Answer): Buffer {
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body)
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(isJson ? JSON.stringify(body) : body)
  writeHead(response, status, common, {
    ...(isJson && { 'content-type': 'application/json; charset=utf-8' }),
    ...headers,
    // RFC 9110 §8.6: these two have none.
    ...(status !== 204 && status !== 304 && { 'content-length': String(bytes.length) }),
  })
  return bytes
}

export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  common: AnswerHeaders,
  error: ApiError,
): void {
  if (response.headersSent) {
    // An answer that has begun can only be broken off, so that nobody takes it for whole.
    response.destroy()
    return
  }
  // Out of file descriptors only closed connections make room for others, which wait to be accepted meanwhile.
  const last = request.complete && error.status < 500 ? {} : { connection: 'close' }
  const answer = { status: error.status, headers: { ...error.headers, ...last }, body: errorBody(error) }
  if (request.complete) {
    sendAnswer(response, common, answer)
    return
  }
  // What was not read of a refused body must not be taken for the next request, nor cost the client its answer: that is
  // whole by its length, while its end, which closes the connection, waits.
  response.write(beginAnswer(response, common, answer))
  discardRest(request, () => response.end())
}
