import type { ErrorRoute } from '../../conversion/failure/upstream-error.ts'
import type { LargeJson } from '../../conversion/request/large-json.ts'
import { sessionHeaderValue } from '../../conversion/request/prompt-cache-key.ts'
import type { ResponsesRequest } from '../../conversion/request/upstream-body.ts'
import { asksForSummary } from '../../conversion/request/without-summary.ts'
import type { ChatGptCredentials } from '../../credentials/credentials.ts'
import { BodyMemory } from '../../upstream/body-memory.ts'
import { conversationHeaders } from '../../upstream/forwarded-headers.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { type MessageLog, openMessageLog } from '../message-log.ts'
import { noteIgnored } from '../request-notes.ts'
import { fallbackVariants, LITE_HEADERS } from './fallback-variants.ts'
import { withoutRefusedSummary } from './refused-summary.ts'
import { UpstreamCall } from './upstream-call.ts'

type ConvertedRequest = {
  readonly route: ErrorRoute
  /** The request for upstream. */
  readonly body: ResponsesRequest
  /** The client's body, from which it was made. */
  readonly json: LargeJson
  /** Fields that were asked for and had no effect. */
  readonly ignored: readonly string[]
  /** The client speaks the Lite lane: its body stays untouched. */
  readonly lite?: boolean
  /** Further headers that go with it. */
  readonly headers?: Readonly<Record<string, string>>
}

export type PreparedCall = {
  readonly call: UpstreamCall
  readonly log: MessageLog
  /** The body as it was written for upstream. */
  readonly written: readonly Buffer[]
}

/** The upstream call for a converted request; the client is told what is left out. */
export function prepareCall(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
  { route, body, json, ignored, lite = false, headers = {} }: ConvertedRequest,
): PreparedCall {
  noteIgnored(request, ignored)
  const sent = withoutRefusedSummary(context, request, body)
  const log = openMessageLog(context.logger, request.record)
  log.input(sent.input, sent.instructions)
  const written = json.write(sent)
  const call = new UpstreamCall(context, request, {
    route,
    credentials,
    model: sent.model,
    asksForSummary: asksForSummary(sent),
    wanted: {
      body: () => written,
      headers: lite ? LITE_HEADERS : {},
      fallback: lite ? undefined : fallbackVariants(context, sent, json.write),
    },
    memory: new BodyMemory(json.memory),
    headers: { ...sessionHeaders(request, sent), ...headers },
  })
  return { call, log, written }
}

/** The same value for every request of a conversation: upstream's prompt cache goes by it (case 181). */
export function sessionHeaders(
  { headers }: Pick<ApiRequest, 'headers'>,
  { prompt_cache_key: key }: Pick<ResponsesRequest, 'prompt_cache_key'>,
): Record<string, string> {
  const own = conversationHeaders(headers)
  if (key === undefined) return own
  const session = sessionHeaderValue(key)
  return { 'session-id': session, 'thread-id': session, ...own }
}
