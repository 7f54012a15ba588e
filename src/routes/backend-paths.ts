import { imageEvents } from '../conversion/answer/image-events.ts'
import { imageEditOf, isForm } from '../conversion/request/images/image-edit-form.ts'
import { imageRequestOf } from '../conversion/request/images/image-request.ts'
import { refuseTooManyValues } from '../conversion/request/large-json.ts'
import type { ChatGptCredentials } from '../credentials/credentials.ts'
import { parseObject } from '../json-object.ts'
import { namedFrame } from '../sse/frames.ts'
import type { UpstreamAnswer } from '../upstream/answer.ts'
import { BodyMemory } from '../upstream/body-memory.ts'
import { conversationHeaders, informingHeaders } from '../upstream/forwarded-headers.ts'
import { readBody } from '../upstream/read-body.ts'
import { type Answer, type ApiRequest, pathOf, type Route, withoutSlash } from './api-request.ts'
import { BodyLog } from './body-log.ts'
import type { RouteContext } from './context.ts'
import { forwardOr, handOn } from './forward.ts'
import { noteIgnored, noticeHeaders, retryCounter } from './request-notes.ts'
import { refusalOf } from './upstream-call/refusal.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8' }
const IMAGE_EDITS = '/v1/images/edits'

/** The type of the event that carries an image in a stream. */
const IMAGE_EVENTS = new Map([
  ['/v1/images/generations', 'image_generation.completed'],
  [IMAGE_EDITS, 'image_edit.completed'],
])

/**
 * What the ChatGPT backend offers besides answers and models: images, and the search of the Codex CLI (docs/upstream.md
 * 4.1).
 */
export function backendPathsRoute(context: RouteContext): Route {
  return forwardOr(context, passToBackend)
}

/** Sends a body to the same path of the backend, and passes its answer on. Never sent twice: an image costs quota. */
async function passToBackend(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
): Promise<Answer | undefined> {
  const path = withoutSlash(pathOf(request.url))
  const { body, events } = await readRequest(context, request, path)
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
  if (answer.status === 200 && events === undefined) return handOn(context, request, answer, log)
  noticeHeaders(context, request, answer)
  request.setHeaders(informingHeaders(answer.headers))
  if (answer.status !== 200 || events === undefined) throw await refusalOf(context, 'responses', answer)
  return imageAsEvents(context, request, { answer, events, log })
}

type BackendRequest = {
  readonly body: Buffer
  /** The type of the events that the client waits for; undefined if it waits for an object. */
  readonly events: string | undefined
}

/**
 * The official clients send forms, streaming requests and no model; the Codex CLI sends what the backend accepts, which
 * stays unchanged.
 */
async function readRequest({ config }: RouteContext, request: ApiRequest, path: string): Promise<BackendRequest> {
  const events = IMAGE_EVENTS.get(path)
  if (events === undefined) return { body: await request.jsonBody(), events }
  const type = request.headers['content-type']
  const form = path === IMAGE_EDITS && isForm(type) ? await imageEditOf(await request.rawBody(), type) : undefined
  const given = form ?? (await request.jsonBody())
  if (Buffer.isBuffer(given)) refuseTooManyValues(given)
  const image = imageRequestOf(form ?? parseObject(given.toString()), config.strict)
  if (image === undefined) return { body: Buffer.isBuffer(given) ? given : jsonBytes(given), events: undefined }
  noteIgnored(request, image.ignored)
  return { body: jsonBytes(image.body), events: image.stream ? events : undefined }
}

function jsonBytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}

type Shown = { readonly answer: UpstreamAnswer; readonly events: string; readonly log: BodyLog | undefined }

/** An official client that waits for events finds none in an object, and reports nothing. */
async function imageAsEvents(
  context: RouteContext,
  request: ApiRequest,
  { answer, events, log }: Shown,
): Promise<Answer> {
  request.record.stream = true
  const whole = await readBody(answer.body, context.config.maxEvent)
  request.record.firstEventAt = context.monotonic()
  log?.answerHead(answer.headers)
  log?.answerBytes(whole)
  log?.answerEnd()
  const frames = imageEvents(whole.toString(), events).map((event) => namedFrame(event.type, event))
  return { status: 200, headers: EVENT_STREAM, body: frames.join('') }
}
