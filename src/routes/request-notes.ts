import type { ApiError } from '../errors.ts'
import type { UpstreamAnswer } from '../upstream/answer.ts'
import { informingHeaders } from '../upstream/forwarded-headers.ts'
import type { ApiRequest } from './api-request.ts'
import type { RouteContext } from './context.ts'

/** Tells the client and the log which fields of the request had no effect. */
export function noteIgnored(request: ApiRequest, ignored: readonly string[]): void {
  request.record.ignored = ignored
  if (ignored.length > 0) request.setHeaders({ 'x-codex-proxy-ignored': ignored.join(', ') })
}

/** Notes a failure after the 200 for the request's log line: the status that the answer would have had. */
export function noteFailure({ record }: ApiRequest, { status, code }: ApiError): void {
  record.status = status
  if (code !== null) record.code = code
}

/** Counts retries, for the request's log line. */
export function retryCounter({ record }: ApiRequest): () => void {
  return () => {
    record.upstreamRetries++
  }
}

/** Processes the headers of every upstream answer: request id, limits, a changed catalogue. */
export function noticeHeaders(
  context: Pick<RouteContext, 'rateLimits' | 'catalogue' | 'now'>,
  { record }: Pick<ApiRequest, 'record'>,
  { headers }: Pick<UpstreamAnswer, 'headers'>,
): void {
  const id = headers['x-request-id'] ?? headers['x-oai-request-id']
  if (typeof id === 'string') record.upstreamRequestId = id
  context.rateLimits.notice(headers, context.now())
  const etag = headers['x-models-etag']
  if (typeof etag === 'string') context.catalogue.noticeEtag(etag)
}

/** The same for an answer that is not passed on as it is: the client gets those of its headers that inform it. */
export function informClient(context: RouteContext, request: ApiRequest, answer: UpstreamAnswer): void {
  noticeHeaders(context, request, answer)
  request.setHeaders(informingHeaders(answer.headers))
}
