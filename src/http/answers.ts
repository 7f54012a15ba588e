import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ApiError, errorBody } from '../errors.ts'
import type { Answer } from '../routes/api-request.ts'
import { discardRest } from './linger.ts'

/**
 * Headers that every answer to a request carries: names in lower case alternating with values, the form that costs Node
 * the least work.
 */
export type AnswerHeaders = (string | string[])[]

/** Begins an answer. `added` overrides `headers` of the same name; those are emptied, since an answer may last long. */
export function writeHead(
  response: ServerResponse,
  status: number,
  headers: AnswerHeaders,
  added: Readonly<Record<string, string | string[]>>,
): ServerResponse {
  const all = headers.slice()
  addHeaders(all, added)
  response.writeHead(status, all)
  headers.length = 0
  return response
}

/**
 * Replaces existing headers, except `vary`: upstream's own must not hide that the answer depends on the origin (RFC
 * 9110 §12.5.5).
 */
export function addHeaders(headers: AnswerHeaders, added: Readonly<Record<string, string | string[]>>): void {
  for (const name in added) {
    const value = added[name] ?? ''
    const at = placeOf(name, headers)
    if (at === headers.length) headers.push(name, value)
    else headers[at + 1] = name === 'vary' ? [headers[at + 1] ?? '', value].flat() : value
  }
}

/** The index of the name, or the end of the list. */
function placeOf(name: string, headers: AnswerHeaders): number {
  let at = 0
  while (at < headers.length && headers[at] !== name) at += 2
  return at
}

/** Sends an answer that is no stream. */
export function sendAnswer(response: ServerResponse, common: AnswerHeaders, answer: Answer): void {
  response.end(beginAnswer(response, common, answer))
}

/** Writes the head and returns the body, which Node leaves out where none may be sent. */
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
    // An answer that has begun is cut off, so that nobody takes it for complete.
    response.destroy()
    return
  }
  // When file descriptors run out, only closing connections makes room for those that wait to be accepted.
  const last = request.complete && error.status < 500 ? {} : { connection: 'close' }
  const answer = { status: error.status, headers: { ...error.headers, ...last }, body: errorBody(error) }
  if (request.complete) {
    sendAnswer(response, common, answer)
    return
  }
  // The unread rest of a refused body must not be taken for the next request, nor cost the client its answer. So the
  // answer is sent, complete by its length, but only ended, which closes the connection, once the rest has been
  // discarded.
  response.write(beginAnswer(response, common, answer))
  discardRest(request, () => response.end())
}
