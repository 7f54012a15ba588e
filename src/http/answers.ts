import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ApiError, errorBody } from '../errors.ts'
import type { Answer } from '../routes/api-request.ts'
import { discardRest } from './linger.ts'

/**
 * What an answer carries, whatever it will be: names in lower case and values in turns, which is what Node puts into bytes
 * with the least work.
 */
export type AnswerHeaders = (string | string[])[]

/** Begins an answer; `added` take the place of `headers` of the same name. Those are let go of: an answer may last long. */
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

export function addHeaders(headers: AnswerHeaders, added: Readonly<Record<string, string | string[]>>): void {
  for (const name in added) {
    const value = added[name] ?? ''
    const at = placeOf(name, headers)
    if (at === headers.length) headers.push(name, value)
    else headers[at + 1] = value
  }
}

/** Where the name is, or would be. */
function placeOf(name: string, headers: AnswerHeaders): number {
  let at = 0
  while (at < headers.length && headers[at] !== name) at += 2
  return at
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
