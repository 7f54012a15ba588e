import { ResponsesCollector } from '../../conversion/answer/responses-collector.ts'
import { tokenUsage } from '../../conversion/answer/usage.ts'
import { unfinishedError } from '../../conversion/failure/upstream-error.ts'
import { type LargeJson, parseLargeJson } from '../../conversion/request/large-json.ts'
import {
  type ConvertedResponsesRequest,
  convertResponsesRequest,
} from '../../conversion/request/responses/responses-request.ts'
import type { ChatGptCredentials } from '../../credentials/credentials.ts'
import { toApiError } from '../../errors.ts'
import { asList, asString, type JsonObject } from '../../json-object.ts'
import { unpooledCopy } from '../../runtime/buffers.ts'
import { eventSink } from '../../sse/event-sink.ts'
import type { UpstreamAnswer } from '../../upstream/answer.ts'
import type { Answer, ApiRequest, Route } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { forwardOr } from '../forward.ts'
import type { AnsweredTurn } from '../memory/conversation-memory.ts'
import { ownerOf } from '../memory/recent-memory.ts'
import type { MessageLog } from '../message-log.ts'
import { noteFailure } from '../request-notes.ts'
import { ClientStream } from '../streaming/client-stream.ts'
import { EventStream } from '../streaming/event-stream.ts'
import { withEarlyRetries } from '../upstream-call/early-retry.ts'
import { type PreparedCall, prepareCall } from '../upstream-call/prepare-call.ts'
import { headOf, type UpstreamCall } from '../upstream-call/upstream-call.ts'
import { ResponsesFrames } from './responses-frames.ts'

/** `POST /v1/responses`: forwarded with an API key; with a ChatGPT login passed through as far as upstream allows. */
export function responsesRoute(context: RouteContext): Route {
  return forwardOr(context, (request, credentials) => send(context, request, credentials))
}

async function send(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
): Promise<Answer | undefined> {
  const { call, log, isStreamed, turn } = convert(context, request, credentials, await request.jsonBody())
  const remember = (outcome: AnswerOutcome) => turn && rememberAnswer(context, turn, outcome)
  if (!isStreamed) {
    const response = await collect(context, request, call, log)
    remember({ responseId: asString(response.id), items: asList(response.output) })
    return { status: 200, body: response }
  }
  await stream(context, request, { call, log, remember })
  return undefined
}

/** The outcome of an answer; without an id if it failed. */
type AnswerOutcome = { readonly responseId: string | undefined; readonly items: readonly unknown[] }

/** Upstream stores nothing, and the client may refer to it in its next request. */
function rememberAnswer(context: RouteContext, turn: AnsweredTurn, { responseId, items }: AnswerOutcome): void {
  context.items.remember(turn.owner, items)
  if (responseId !== undefined) context.conversations.remember(turn, responseId, items)
}

/**
 * A separate function, so that while the answer streams only the part of the body is kept that a client may continue
 * from.
 */
function convert(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
  raw: Buffer,
): { call: UpstreamCall; log: MessageLog; isStreamed: boolean; turn: AnsweredTurn | undefined } {
  const json = parseLargeJson(raw, context.placeholder)
  const { converted, written, call, log } = prepare(context, request, credentials, json)
  const turn = converted.stores ? answeredTurn(converted, ownerOf(credentials), written, json.write) : undefined
  return { call, log, isStreamed: converted.stream, turn }
}

export type Prepared = PreparedCall & { readonly converted: ConvertedResponsesRequest }

/** The upstream call for a request, with further headers that go with it. */
export function prepare(
  context: RouteContext,
  request: ApiRequest,
  credentials: ChatGptCredentials,
  json: LargeJson,
  headers: Readonly<Record<string, string>> = {},
): Prepared {
  const owner = ownerOf(credentials)
  const converted = convertResponsesRequest(json.value, {
    strict: context.config.strict,
    recallItem: context.items.recallFor(owner, context.config.maxDecodedBody),
    recallConversation: (id) => context.conversations.recall(owner, id, context.config.maxDecodedBody),
    stableJson: json.stableJson,
  })
  const { request: body, stream, ignored, lite } = converted
  request.record.model = body.model
  request.record.stream = stream
  const prepared = prepareCall(context, request, credentials, {
    route: 'responses',
    body,
    json,
    ignored,
    lite,
    headers,
  })
  return { converted, ...prepared }
}

/** In memory of its own: that of the body is freed before the answer ends. */
function answeredTurn(
  { request: { prompt_cache_key }, previousId, added }: ConvertedResponsesRequest,
  owner: string,
  written: readonly Buffer[],
  write: LargeJson['write'],
): AnsweredTurn {
  const request = previousId === undefined ? written : write({ input: added, prompt_cache_key })
  return { owner, previousId, request: unpooledCopy(request) }
}

/** The one Response object for a client that wants no stream. */
export async function collect(
  context: RouteContext,
  request: ApiRequest,
  call: UpstreamCall,
  log: MessageLog,
): Promise<JsonObject> {
  let collector = new ResponsesCollector()
  const response = await withEarlyRetries(context, request, {
    call,
    cancellation: request.cancellation,
    async read(answer) {
      collector = new ResponsesCollector(headOf(context, answer))
      const events = new EventStream(answer, context.config.maxEvent, {
        frames: eventSink((event) => collector.take(event)),
        batchEnd() {
          if (collector.visible) call.release()
          if (collector.ended) events.finish()
        },
      })
      await events.read()
      request.record.usage = tokenUsage([collector.usage])
      return collector.finish()
    },
    isVisible: () => collector.visible,
  })
  request.record.firstEventAt = context.monotonic()
  request.record.servedModel = asString(response.model)
  log.output(response.output)
  return response
}

type Streaming = {
  readonly call: UpstreamCall
  readonly log: MessageLog
  /** Called before the client sees the end, since it may send its next request at once. */
  readonly remember: (outcome: AnswerOutcome) => void
}

async function stream(context: RouteContext, request: ApiRequest, { call, log, remember }: Streaming): Promise<void> {
  const client = new ClientStream(request, context.config, log.sent)
  const asked = { model: request.record.model, byCodex: isCodex(request) }
  let frames = new ResponsesFrames(client.out, asked)
  try {
    await withEarlyRetries(context, request, {
      call,
      cancellation: request.cancellation,
      read(answer) {
        frames = new ResponsesFrames(client.out, asked, headOf(context, answer))
        return pass(context, request, { answer, frames, client, call, remember }).catch((error: unknown) => {
          if (!client.opened) client.out.clear()
          throw error
        })
      },
      isVisible: () => client.opened,
      clientRetries: asked.byCodex,
    })
  } catch (thrown) {
    const error = toApiError(thrown)
    if (!client.opened) {
      client.discard()
      throw error
    }
    noteFailure(request, error)
    remember(frames)
    client.out.text(frames.failure(error))
    client.end()
  }
  log.output()
}

/** Codex names the turn that a request belongs to. */
function isCodex({ headers }: ApiRequest): boolean {
  return headers['x-codex-turn-metadata'] !== undefined
}

type Passing = Pick<Streaming, 'call' | 'remember'> & {
  readonly answer: UpstreamAnswer
  readonly frames: ResponsesFrames
  readonly client: ClientStream
}

async function pass(
  context: RouteContext,
  request: ApiRequest,
  { answer, frames, client, call, remember }: Passing,
): Promise<void> {
  const events = new EventStream(answer, context.config.maxEvent, {
    frames,
    batchEnd() {
      if (frames.visible) {
        request.record.firstEventAt ??= context.monotonic()
        call.release()
      }
      if (!frames.ended) {
        if (frames.visible) client.open()
        client.flush()
        return
      }
      request.record.status = 200
      request.record.usage = tokenUsage([frames.usage])
      request.record.servedModel = frames.servedModel
      if (frames.error !== undefined) noteFailure(request, frames.error)
      remember(frames)
      client.end()
      events.finish()
    },
  })
  await client.follow(events)
  if (!frames.ended) throw unfinishedError()
}
