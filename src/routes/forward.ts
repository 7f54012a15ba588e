import type { ApiKeyCredentials, ChatGptCredentials, Credentials } from '../credentials/credentials.ts'
import { cutError, type UpstreamAnswer } from '../upstream/answer.ts'
import { BodyMemory } from '../upstream/body-memory.ts'
import type { UpstreamRequest } from '../upstream/client.ts'
import { answerHeadersForClient, requestHeadersForUpstream } from '../upstream/forwarded-headers.ts'
import { readBody } from '../upstream/read-body.ts'
import { bytesOf } from '../upstream/socket-read.ts'
import type { Answer, ApiRequest, Route } from './api-request.ts'
import { BodyLog, isEventStream } from './body-log.ts'
import type { RouteContext } from './context.ts'
import { noteFailure, noticeHeaders, retryCounter } from './request-notes.ts'
import { endReadingLimit, limitReading } from './streaming/slow-client.ts'

/** Answers with a known length up to this size are sent in one piece. */
const SMALL_ANSWER_BYTES = 64 * 1024

const NO_BYTES = Buffer.alloc(0)
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304])

/** A route that forwards with an API key, and with a ChatGPT login does what `convert` does. */
export function forwardOr(
  context: RouteContext,
  convert: (context: RouteContext, request: ApiRequest, credentials: ChatGptCredentials) => Promise<Answer | undefined>,
): Route {
  const serve = (request: ApiRequest, credentials: Credentials) =>
    credentials.kind === 'api-key' ? forward(context, request, credentials) : convert(context, request, credentials)
  return (request) => {
    const credentials = context.credentials.current()
    // Whoever stops waiting leaves a refresh under way alone: its token is spent either way.
    return credentials instanceof Promise
      ? request.cancellation.race(credentials).then((refreshed) => serve(request, refreshed))
      : serve(request, credentials)
  }
}

/** With an API key: method, query, body bytes, status and headers go through as they are. */
async function forward(
  context: RouteContext,
  request: ApiRequest,
  credentials: ApiKeyCredentials,
): Promise<Answer | undefined> {
  const body = await request.rawBody()
  const log = BodyLog.open(context, request.record)
  log?.request(body, request.headers)
  const memory = new BodyMemory([body])
  const asked = forwarded(request, body, memory)
  const answer = await context.upstream.send(asked, credentials, request.cancellation)
  memory.free()
  return handOn(context, request, answer, log)
}

/** Passes the answer on unchanged: its status, headers and bytes. */
export async function handOn(
  context: RouteContext,
  request: ApiRequest,
  answer: UpstreamAnswer,
  log: BodyLog | undefined,
): Promise<Answer | undefined> {
  const { record } = request
  noticeHeaders(context, request, answer)
  record.firstEventAt = context.monotonic()
  // Only the answer shows it, since the request body is not parsed.
  record.stream = isEventStream(answer.headers)
  log?.answerHead(answer.headers)
  const headers = answerHeadersForClient(answer.headers)
  if (WITHOUT_BODY.has(answer.status)) {
    // Its `content-length` may be that of a body that is not sent, which undici would wait for (RFC 9110 §8.6).
    answer.body.abort()
    return { status: answer.status, headers, body: '' }
  }
  const length = Number(answer.headers['content-length'])
  if (length <= SMALL_ANSWER_BYTES && request.method !== 'HEAD') {
    const whole = await readBody(answer.body, SMALL_ANSWER_BYTES)
    log?.answerBytes(whole)
    log?.answerEnd()
    return { status: answer.status, headers, body: whole }
  }
  await relay(context, request, { answer, headers, log })
  log?.answerEnd()
  return undefined
}

function forwarded(request: ApiRequest, body: Buffer, memory: BodyMemory): UpstreamRequest {
  return {
    method: request.method,
    path: request.url.replace(/^\/v1/, ''),
    headers: requestHeadersForUpstream(request.headers),
    ...(body.length > 0 && { body: [body], memory }),
    // Only if doing it twice does no harm.
    retries: isRepeatable(request),
    onRetry: retryCounter(request),
  }
}

/** RFC 9110 §9.2.2, RFC 5789 §2. */
const NOT_IDEMPOTENT = new Set(['POST', 'PATCH'])

function isRepeatable({ method, url }: ApiRequest): boolean {
  return !NOT_IDEMPOTENT.has(method) || (method === 'POST' && /^\/v1\/(chat\/completions|responses)(\?|$)/.test(url))
}

type Relayed = {
  readonly answer: UpstreamAnswer
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly log: BodyLog | undefined
}

/**
 * Relays the bytes of an answer unchanged. Such a body can't report that it was cut off, so the connection is broken
 * off.
 */
function relay(
  context: RouteContext,
  request: ApiRequest,
  { answer: { status, body }, headers, log }: Relayed,
): Promise<void> {
  const { slowClientTimeout } = context.config
  request.record.status = status
  const response = request.takeOver(status, headers)
  // Sends the head. If written with bytes, Node keeps it in Latin-1, as it arrived; `flushHeaders` would encode it
  // again.
  response.write(NO_BYTES)
  return new Promise((resolve) => {
    response.on('drain', () => {
      endReadingLimit(response)
      body.resume()
    })
    response.on('close', resolve)
    body.pipe({
      data(read) {
        const bytes = bytesOf(read)
        log?.answerBytes(bytes)
        if (response.write(bytes)) return
        body.pause()
        limitReading(response, slowClientTimeout)
      },
      end() {
        response.end()
        limitReading(response, slowClientTimeout)
      },
      fail(cause) {
        noteFailure(request, cutError(cause, 'Upstream broke off in the middle of its answer.'))
        response.destroy()
      },
    })
  })
}
