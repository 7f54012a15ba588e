import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Cancellation } from '../cancellation.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'

/** One request as a route sees it, whatever server stands in front. */
export type ApiRequest = {
  readonly method: string
  /** Path and query, brought to the form `/v1/…`. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly record: RequestRecord
  /** Cancelled when the client leaves. */
  readonly cancellation: Cancellation
  /** The client sent the client key, or none is asked for. */
  readonly authenticated: boolean
  /** The body, decompressed. Throws a ProxyError when it is too large, broken or not JSON by its content type. */
  jsonBody(): Promise<Buffer>
  /** The body exactly as sent. */
  rawBody(): Promise<Buffer>
  /** Adds to the headers of the answer, whatever that will be: a stream, an object or an error. In lower case. */
  setHeaders(headers: Readonly<Record<string, string>>): void
  /** Begins an answer that is streamed, with these headers beside those that every answer carries. */
  takeOver(status: number, headers: Readonly<Record<string, string | string[]>>): ServerResponse
}

/** What a route answers when it does not stream. */
export type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** Text is sent as it is; anything else as JSON. */
  readonly body: string | Buffer | object
}

/** `undefined`: the answer was streamed. */
export type Route = (request: ApiRequest) => Promise<Answer | undefined>

/** A URL without its query. */
export function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}
