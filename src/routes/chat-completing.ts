import { type ChatChunk, ChunkHead } from '../conversion/chat-chunk.ts'
import { type ChatCompletion, joinChunks } from '../conversion/chat-completion.ts'
import type { ChatPlan } from '../conversion/chat-plan.ts'
import { ChatStream } from '../conversion/chat-stream.ts'
import { sumUsage, tokenUsage } from '../conversion/usage.ts'
import { frameJson } from '../sse/event.ts'
import type { ApiRequest } from './api-request.ts'
import type { OpenChoice } from './chat-streaming.ts'
import type { RouteContext } from './context.ts'
import { withEarlyRetries } from './early-retry.ts'
import { EventStream } from './event-stream.ts'

/** A Chat answer in one piece: the machines of the stream, run to their end. */
export async function completeChat(
  context: RouteContext,
  request: ApiRequest,
  plan: ChatPlan,
  open: OpenChoice,
): Promise<{ completion: ChatCompletion; machines: readonly ChatStream[] }> {
  const head = new ChunkHead(plan.model)
  const siblings = new AbortController()
  const signal = plan.choices === 1 ? request.signal : AbortSignal.any([request.signal, siblings.signal])
  const machines: ChatStream[] = []
  const runChoice = async (choice: number): Promise<ChatChunk[]> => {
    const machine = new ChatStream(plan, choice, head)
    machines[choice] = machine
    return readChoice(machine, new EventStream(await open(signal), context.config.maxEvent))
  }
  try {
    const choices = await Promise.all(
      Array.from({ length: plan.choices }, (_, choice) =>
        withEarlyRetries(
          context,
          request,
          () => machines[choice]?.visible === true,
          () => runChoice(choice),
        ),
      ),
    )
    request.record.firstEventAt = context.monotonic()
    const usages = machines.map(({ usage }) => usage)
    request.record.usage = tokenUsage(usages)
    return { completion: joinChunks(head, choices.flat(), sumUsage(usages)), machines }
  } catch (error) {
    siblings.abort()
    throw error
  }
}

async function readChoice(machine: ChatStream, events: EventStream): Promise<ChatChunk[]> {
  const chunks: ChatChunk[] = []
  await events.read(
    (text, from, to) => {
      for (const frame of text.slice(from, to).split('\n\n')) {
        const event = frameJson(frame)
        if (event !== undefined && !machine.ended) chunks.push(...machine.convert(event))
      }
    },
    () => {
      if (machine.ended) events.finish()
    },
  )
  if (!machine.ended) chunks.push(...machine.finish())
  return chunks
}
