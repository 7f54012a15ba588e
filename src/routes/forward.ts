import type { ApiKeyCredentials, ChatGptCredentials, Credentials } from '../credentials/credentials.ts'
import { BodyMemory } from '../upstream/body-memory.ts'
import { cutError, type UpstreamAnswer } from '../upstream/exchange.ts'
import { answerHeadersForClient, requestHeadersForUpstream } from '../upstream/forwarded-headers.ts'
import { readBody } from '../upstream/read-body.ts'
import { bytesOf } from '../upstream/socket-read.ts'
import type { Answer, ApiRequest, Route } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { noticeHeaders } from './open-responses.ts'

/** Answers with a known length up to this size are sent in one piece. */
const SMALL_ANSWER_BYTES = 64 * 1024

/** A route that forwards with an API key, and with a ChatGPT login does what `convert` does. */
export function forwardOr(
  context: RouteContext,
  convert: (request: ApiRequest, credentials: ChatGptCredentials) => Promise<Answer | undefined>,
): Route {
  const serve = (request: ApiRequest, credentials: Credentials) =>
    credentials.kind === 'api-key' ? forward(context, request, credentials) : convert(request, credentials)
  return (request) => {
    const credentials = context.credentials.current()
    return credentials instanceof Promise
      ? credentials.then((renewed) => serve(request, renewed))
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
  const memory = new BodyMemory([body])
  const answer = await context.upstream.send(
    {
      method: request.method,
      path: request.url.replace(/^\/v1/, ''),
      headers: requestHeadersForUpstream(request.headers),
      ...(body.length > 0 && { body: [body], memory }),
      // Only what may be done twice without harm is sent again.
      ...(!isRepeatable(request) && { retries: false }),
      onRetry: () => {
        request.record.upstreamRetries++
      },
    },
    credentials,
    request.cancellation,
  )
  memory.free()
  noticeHeaders(context, request, answer)
  request.record.firstEventAt = context.monotonic()
  const headers = answerHeadersForClient(answer.headers)
  const length = Number(answer.headers['content-length'])
  if (length <= SMALL_ANSWER_BYTES && request.method !== 'HEAD') {
    return { status: answer.status, headers, body: await readBody(answer.body, SMALL_ANSWER_BYTES) }
  }
  await relay(context, request, answer, headers)
  return undefined
}

function isRepeatable(request: ApiRequest): boolean {
  return request.method !== 'POST' || /^\/v1\/(chat\/completions|responses)(\?|$)/.test(request.url)
}

/** The bytes of an answer, untouched. A cut cannot be told in an arbitrary body: the connection ends without its end. */
function relay(
  context: RouteContext,
  request: ApiRequest,
  { status, body }: UpstreamAnswer,
  headers: Readonly<Record<string, string | string[]>>,
): Promise<void> {
  request.record.status = status
  const response = request.takeOver(status, headers)
  response.flushHeaders()
  return new Promise((resolve) => {
    let stalled: NodeJS.Timeout | undefined
    response.on('drain', () => {
      clearTimeout(stalled)
      stalled = undefined
      body.resume()
    })
    response.on('close', () => {
      clearTimeout(stalled)
      resolve()
    })
    body.pipe({
      data(read) {
        if (response.write(bytesOf(read))) return
        body.pause()
        stalled ??= setTimeout(() => response.destroy(), context.config.slowClientTimeout)
      },
      end: () => response.end(),
      fail(cause) {
        const { status, code } = cutError(cause, 'Upstream broke off in the middle of its answer.')
        request.record.status = status
        request.record.code = code
        response.destroy()
      },
    })
  })
}
