import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Cancellation } from '../cancellation.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'

/** One request as a route sees it, independent of the server in front. */
export type ApiRequest = {
  readonly method: string
  /** Path and query, normalised to the form `/v1/…`. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly record: RequestRecord
  /** Cancelled when the client disconnects. */
  readonly cancellation: Cancellation
  /** The client sent the client key, or none is required. */
  readonly authenticated: boolean
  /** The body, decompressed. Throws a ProxyError when it is too large, broken or not JSON by its content type. */
  jsonBody(): Promise<Buffer>
  /** The body exactly as sent. */
  rawBody(): Promise<Buffer>
  /** Adds to the headers of the answer, whatever that will be: a stream, an object or an error. In lower case. */
  setHeaders(headers: Readonly<Record<string, string>>): void
  /** Begins a streamed answer, with these headers in addition to those of every answer. */
  takeOver(status: number, headers: Readonly<Record<string, string | string[]>>): ServerResponse
}

/** The answer of a route that does not stream. */
export type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** A string is sent unchanged; anything else as JSON. */
  readonly body: string | Buffer | object
}

/** `undefined`: the answer was streamed. */
export type Route = (request: ApiRequest) => Promise<Answer | undefined>

/** A URL without its query. */
export function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/** A slash at the end of a path changes nothing. */
export function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}
