import { type ChatChunk, type ChatDelta, ChunkHead } from '../../src/conversion/answer/chat-chunk.ts'
import { type ChatCompletion, JoinedChunks } from '../../src/conversion/answer/chat-completion.ts'
import { ChatStream } from '../../src/conversion/answer/chat-stream.ts'
import { sumUsage } from '../../src/conversion/answer/usage.ts'
import type { ChatPlan } from '../../src/conversion/chat-plan.ts'
import type { JsonObject } from '../../src/json-object.ts'

export function chatPlan(differences: Partial<ChatPlan> = {}): ChatPlan {
  return {
    model: 'gpt-5.5',
    stream: true,
    includeUsage: false,
    choices: 1,
    stop: [],
    legacyFunctions: false,
    knowsCustomCalls: true,
    jsonOutput: false,
    showReasoning: true,
    ignored: [],
    ...differences,
  }
}

export type Answer = { readonly chunks: ChatChunk[]; readonly completion: ChatCompletion; readonly stream: ChatStream }

/** Runs the machine to its end; throws what it throws. */
export function answer(events: Iterable<unknown>, differences: Partial<ChatPlan> = {}): Answer {
  const plan = chatPlan(differences)
  const head = new ChunkHead(plan.model)
  const stream = new ChatStream(plan, 0, head)
  const chunks = [...events].flatMap((event) => stream.convert(event))
  chunks.push(...stream.finish())
  const joined = new JoinedChunks()
  joined.add(chunks)
  return { chunks, completion: joined.completion(head, sumUsage([stream.usage])), stream }
}

export function messageOf(events: Iterable<unknown>, differences: Partial<ChatPlan> = {}) {
  const [choice] = answer(events, differences).completion.choices
  if (choice === undefined) throw new Error('An answer without a choice.')
  return choice.message
}

export function deltasOf(chunks: readonly ChatChunk[]): ChatDelta[] {
  return chunks.flatMap(({ choices }) => choices).map(({ delta }) => delta)
}

export function finishReasonOf(chunks: readonly ChatChunk[]): string | null | undefined {
  return chunks.flatMap(({ choices }) => choices).findLast(({ finish_reason }) => finish_reason !== null)?.finish_reason
}

/** Short forms of the events of an answer. */
export const event = {
  created: { type: 'response.created', response: { id: 'resp_1', created_at: 1_790_000_000, model: 'gpt-5.5' } },
  completed: (response: JsonObject = {}) => ({
    type: 'response.completed',
    response: { status: 'completed', ...response },
  }),
  added: (output_index: number, item: JsonObject) => ({ type: 'response.output_item.added', output_index, item }),
  done: (output_index: number, item: JsonObject) => ({ type: 'response.output_item.done', output_index, item }),
  text: (output_index: number, delta: string, content_index = 0) => ({
    type: 'response.output_text.delta',
    output_index,
    content_index,
    delta,
  }),
  refusal: (output_index: number, delta: string) => ({
    type: 'response.refusal.delta',
    output_index,
    content_index: 0,
    delta,
  }),
  reasoning: (output_index: number, summary_index: number, delta: string) => ({
    type: 'response.reasoning_summary_text.delta',
    output_index,
    summary_index,
    delta,
  }),
  arguments: (output_index: number, delta: string) => ({
    type: 'response.function_call_arguments.delta',
    output_index,
    item_id: `fc_${output_index}`,
    delta,
  }),
}

export function messageItem(text: string, phase?: string): JsonObject {
  const content = text === '' ? [] : [{ type: 'output_text', text, annotations: [] }]
  return { type: 'message', role: 'assistant', content, ...(phase === undefined ? {} : { phase }) }
}

export function callItem(callId: string, args: string, name = 'lookup'): JsonObject {
  return { type: 'function_call', id: `fc_of_${callId}`, call_id: callId, name, arguments: args }
}
