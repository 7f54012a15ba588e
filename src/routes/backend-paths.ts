import { imageEditOf, isForm } from '../conversion/request/image-edit-form.ts'
import type { ChatGptCredentials } from '../credentials/credentials.ts'
import { BodyMemory } from '../upstream/body-memory.ts'
import { conversationHeaders, informingHeaders } from '../upstream/forwarded-headers.ts'
import type { Answer, ApiRequest } from './api-request.ts'
import { BodyLog } from './body-log.ts'
import type { RouteContext } from './context.ts'
import { handOn } from './forward.ts'
import { noticeHeaders, retryCounter } from './request-notes.ts'
import { refusalOf } from './upstream-call/refusal.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const IMAGE_EDITS = '/v1/images/edits'

/** What the ChatGPT backend has beside answers and models: images, and the search of the Codex CLI (docs/upstream.md 4.1). */
const BACKEND_PATHS = new Set(['/v1/images/generations', IMAGE_EDITS, '/v1/alpha/search'])

export function isBackendPath(method: string, path: string): boolean {
  return method === 'POST' && BACKEND_PATHS.has(path)
}

/** Sends a body to the same path of the backend, and hands its answer on as it is. Never sent twice: an image costs quota. */
export async function passToBackend(
  context: RouteContext,
  request: ApiRequest,
  path: string,
  credentials: ChatGptCredentials,
): Promise<Answer | undefined> {
  const body = path === IMAGE_EDITS ? await imageEditBody(request) : await request.jsonBody()
  const log = BodyLog.open(context, request.record)
  log?.request(body, JSON_TYPE)
  const memory = new BodyMemory([body])
  const answer = await context.upstream.send(
    {
      method: 'POST',
      path: path.replace('/v1', ''),
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
  if (answer.status === 200) return handOn(context, request, answer, log)
  noticeHeaders(context, request, answer)
  request.setHeaders(informingHeaders(answer.headers))
  throw await refusalOf(context, 'responses', answer)
}

/** The official clients send a form, the Codex CLI what the backend takes. */
async function imageEditBody(request: ApiRequest): Promise<Buffer> {
  const type = request.headers['content-type']
  if (!isForm(type)) return request.jsonBody()
  return Buffer.from(JSON.stringify(await imageEditOf(await request.rawBody(), type)))
}
