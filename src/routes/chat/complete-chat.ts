import { type ChatChunk, ChunkHead } from '../../conversion/answer/chat-chunk.ts'
import { type ChatCompletion, joinChunks } from '../../conversion/answer/chat-completion.ts'
import { ChatStream } from '../../conversion/answer/chat-stream.ts'
import { isReadOfResponse } from '../../conversion/answer/response-fields.ts'
import { sumUsage, tokenUsage } from '../../conversion/answer/usage.ts'
import type { ChatPlan } from '../../conversion/chat-plan.ts'
import { leanFrameJson } from '../../sse/event.ts'
import { eventSink } from '../../sse/event-sink.ts'
import type { UpstreamAnswer } from '../../upstream/answer.ts'
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
  const chunks: ChatChunk[][] = []
  await runChoices(context, request, plan, {
    call,
    async read(choice, answer) {
      const machine = new ChatStream(plan, choice, head, headOf(context, answer))
      machines[choice] = machine
      chunks[choice] = await readChoice(machine, answer, context.config.maxEvent, () => {
        if (allVisible(plan, machines)) call.release()
      })
    },
    isVisible: (choice) => machines[choice]?.visible === true,
  })
  request.record.firstEventAt = context.monotonic()
  const usages = machines.map(({ usage }) => usage)
  request.record.usage = tokenUsage(usages)
  request.record.servedModel = head.model
  return { completion: joinChunks(head, chunks.flat(), sumUsage(usages)), machines }
}

async function readChoice(
  machine: ChatStream,
  answer: UpstreamAnswer,
  maxEvent: number,
  afterBatch: () => void,
): Promise<ChatChunk[]> {
  const chunks: ChatChunk[] = []
  const events = new EventStream(answer, maxEvent, {
    frames: eventSink(
      (event) => {
        chunks.push(...machine.convert(event))
      },
      (frame) => leanFrameJson(frame, isReadOfResponse),
    ),
    batchEnd() {
      afterBatch()
      if (machine.ended) events.finish()
    },
  })
  await events.read().catch((error: unknown) => {
    if (!machine.finished) throw error
  })
  chunks.push(...machine.finish())
  return chunks
}
