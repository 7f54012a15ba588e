import { ResponsesCollector } from '../../conversion/answer/responses-collector.ts'
import { tokenUsage } from '../../conversion/answer/usage.ts'
import { asString, type JsonObject } from '../../json-object.ts'
import { eventSink } from '../../sse/event-sink.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import type { MessageLog } from '../message-log.ts'
import { EventStream } from '../streaming/event-stream.ts'
import { withEarlyRetries } from '../upstream-call/early-retry.ts'
import { headOf, type UpstreamCall } from '../upstream-call/upstream-call.ts'

/** The one Response object for a client that wants no stream. */
export async function collectResponse(
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
