import type { ResponsesRequest } from '../../conversion/request/upstream-body.ts'
import { asksForSummary, withoutSummary } from '../../conversion/request/without-summary.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { noteIgnored } from '../request-notes.ts'

/** The request without the summary that its model has recently refused; the client is told. */
export function withoutRefusedSummary(
  context: RouteContext,
  request: ApiRequest,
  body: ResponsesRequest,
): ResponsesRequest {
  if (!asksForSummary(body) || context.unsummarized.recall(body.model) === undefined) return body
  noteUnsummarized(request)
  return withoutSummary(body)
}

const SUMMARY = 'reasoning.summary'

/** Tells the client that there is no summary, whether it or the settings requested it. */
export function noteUnsummarized(request: ApiRequest): void {
  const { ignored } = request.record
  if (!ignored.includes(SUMMARY)) noteIgnored(request, [...ignored, SUMMARY])
}
