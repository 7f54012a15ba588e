import { tokenUsage } from '../../conversion/answer/usage.ts'
import { unfinishedError } from '../../conversion/failure/upstream-error.ts'
import { toApiError } from '../../errors.ts'
import type { UpstreamAnswer } from '../../upstream/answer.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import type { MessageLog } from '../message-log.ts'
import { noteFailure } from '../request-notes.ts'
import { ClientStream } from '../streaming/client-stream.ts'
import { EventStream } from '../streaming/event-stream.ts'
import { withEarlyRetries } from '../upstream-call/early-retry.ts'
import { headOf, type UpstreamCall } from '../upstream-call/upstream-call.ts'
import { ResponsesFrames } from './responses-frames.ts'

/** The outcome of an answer; without an id if it failed. */
export type AnswerOutcome = { readonly responseId: string | undefined; readonly items: readonly unknown[] }

type Streaming = {
  readonly call: UpstreamCall
  readonly log: MessageLog
  /** Called before the client sees the end, since it may send its next request at once. */
  readonly remember: (outcome: AnswerOutcome) => void
}

/** A stream of events, passed through to a client that wants one. */
export async function streamResponse(
  context: RouteContext,
  request: ApiRequest,
  { call, log, remember }: Streaming,
): Promise<void> {
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
      client.cancel()
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
