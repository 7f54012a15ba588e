import { ChunkHead } from '../../conversion/answer/chat-chunk.ts'
import { type ChatCompletion, JoinedChunks } from '../../conversion/answer/chat-completion.ts'
import { ChatStream } from '../../conversion/answer/chat-stream.ts'
import { isReadOfResponse } from '../../conversion/answer/response-fields.ts'
import { sumUsage, tokenUsage } from '../../conversion/answer/usage.ts'
import type { ChatPlan } from '../../conversion/chat-plan.ts'
import { leanFrameJson } from '../../sse/event.ts'
import { eventSink } from '../../sse/event-sink.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { EventStream } from '../streaming/event-stream.ts'
import { headOf, type UpstreamCall } from '../upstream-call/upstream-call.ts'
import { allVisible, runChoices } from './choices.ts'

/** A Chat answer in one piece: the machines of the stream, run to the end. */
export async function completeChat(
  context: RouteContext,
  request: ApiRequest,
  plan: ChatPlan,
  call: UpstreamCall,
): Promise<{ completion: ChatCompletion; machines: readonly ChatStream[] }> {
  const head = new ChunkHead(plan.model)
  const machines: ChatStream[] = []
  const joined = new JoinedChunks()
  await runChoices(context, request, plan, {
    call,
    async read(choice, answer) {
      const machine = new ChatStream(plan, choice, head, headOf(context, answer))
      machines[choice] = machine
      const events = new EventStream(answer, context.config.maxEvent, {
        frames: eventSink(
          (event) => joined.add(machine.convert(event)),
          (frame) => leanFrameJson(frame, isReadOfResponse),
        ),
        batchEnd() {
          if (allVisible(plan, machines)) call.release()
          if (machine.ended) events.finish()
        },
      })
      await events.read().catch((error: unknown) => {
        if (!machine.finished) throw error
      })
      // What is joined stays: a choice with chunks is visible, and so never retried.
      joined.add(machine.finish())
    },
    isVisible: (choice) => machines[choice]?.visible === true,
  })
  request.record.firstEventAt = context.monotonic()
  const usages = machines.map(({ usage }) => usage)
  request.record.usage = tokenUsage(usages)
  request.record.servedModel = head.model
  return { completion: joined.completion(head, sumUsage(usages)), machines }
}
