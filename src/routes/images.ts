import { imageEvents } from '../conversion/answer/image-events.ts'
import { imageEditOf, isForm } from '../conversion/request/images/image-edit-form.ts'
import { imageRequestOf } from '../conversion/request/images/image-request.ts'
import { refuseTooManyValues } from '../conversion/request/large-json.ts'
import type { ChatGptCredentials } from '../credentials/credentials.ts'
import { parseObject } from '../json-object.ts'
import { namedFrame } from '../sse/frames.ts'
import type { UpstreamAnswer } from '../upstream/answer.ts'
import { readBody } from '../upstream/read-body.ts'
import { type Answer, type ApiRequest, pathOf, withoutSlash } from './api-request.ts'
import { sendToBackend } from './backend-paths.ts'
import type { BodyLog } from './body-log.ts'
import type { RouteContext } from './context.ts'
import { handOn } from './forward.ts'
import { informClient, noteIgnored } from './request-notes.ts'

const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8' }
const EDITS = '/v1/images/edits'

/** The Images API. Its two paths are those of the ChatGPT backend, which has neither forms nor streams. */
export async function makeImages(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
): Promise<Answer | undefined> {
  const { body, events } = await readRequest(context, request)
  const { answer, log } = await sendToBackend(context, request, credentials, body)
  if (events === undefined) return handOn(context, request, answer, log)
  informClient(context, request, answer)
  return imageAsEvents(context, request, { answer, events, log })
}

type ImageRequest = {
  readonly body: Buffer
  /** The type of the events that the client waits for; undefined if it waits for an object. */
  readonly events: string | undefined
}

/**
 * The official clients send forms, streaming requests and no model; the Codex CLI sends what the backend accepts, which
 * stays unchanged.
 */
async function readRequest({ config }: RouteContext, request: ApiRequest): Promise<ImageRequest> {
  const isEdit = withoutSlash(pathOf(request.url)) === EDITS
  const type = request.headers['content-type']
  const form = isEdit && isForm(type) ? await imageEditOf(await request.rawBody(), type) : undefined
  const given = form ?? (await request.jsonBody())
  if (Buffer.isBuffer(given)) refuseTooManyValues(given)
  const image = imageRequestOf(form ?? parseObject(given.toString()), config.strict)
  if (image === undefined) return { body: Buffer.isBuffer(given) ? given : jsonBytes(given), events: undefined }
  noteIgnored(request, image.ignored)
  const events = isEdit ? 'image_edit.completed' : 'image_generation.completed'
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
