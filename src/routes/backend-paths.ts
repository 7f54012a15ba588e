import type { ChatGptCredentials } from '../credentials/credentials.ts'
import type { UpstreamAnswer } from '../upstream/answer.ts'
import { BodyMemory } from '../upstream/body-memory.ts'
import { conversationHeaders } from '../upstream/forwarded-headers.ts'
import { type Answer, type ApiRequest, pathOf, withoutSlash } from './api-request.ts'
import { BodyLog } from './body-log.ts'
import type { RouteContext } from './context.ts'
import { handOn } from './forward.ts'
import { informClient, retryCounter } from './request-notes.ts'
import { refusalOf } from './upstream-call/refusal.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/** Passes a body to the same path of the ChatGPT backend unchanged, as the search of the Codex CLI needs it. */
export async function passToBackend(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
): Promise<Answer | undefined> {
  const { answer, log } = await sendToBackend(context, request, credentials, await request.jsonBody())
  return handOn(context, request, answer, log)
}

type Sent = { readonly answer: UpstreamAnswer; readonly log: BodyLog | undefined }

/** Sends a body to the path of the request. Never twice: an image costs quota. Throws what upstream refuses with. */
export async function sendToBackend(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
  body: Buffer,
): Promise<Sent> {
  const log = BodyLog.open(context, request.record)
  log?.request(body, JSON_TYPE)
  const memory = new BodyMemory([body])
  const answer = await context.upstream.send(
    {
      method: 'POST',
      path: withoutSlash(pathOf(request.url)).replace('/v1', ''),
      headers: { ...JSON_TYPE, ...conversationHeaders(request.headers) },
      body: [body],
      memory,
      retries: false,
      onRetry: retryCounter(request),
    },
    credentials,
    request.cancellation,
  )
  memory.free()
  if (answer.status === 200) return { answer, log }
  informClient(context, request, answer)
  throw await refusalOf(context, 'responses', answer)
}
