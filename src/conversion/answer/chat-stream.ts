import { asIndex, asList, asObject, asString, type JsonObject } from '../../json-object.ts'
import type { ChatPlan } from '../chat-plan.ts'
import { type AnswerHead, eventError, NO_HEAD, unfinishedError } from '../failure/upstream-error.ts'
import { type ReasonedCall, reasonedCalls, TEXT_PLACE } from '../reasoning-continuity.ts'
import { type ChatChunk, type ChatDelta, ChunkHead, type FinishReason } from './chat-chunk.ts'
import { ChatImages } from './chat-images.ts'
import { ChatReasoning } from './chat-reasoning.ts'
import { ChatText } from './chat-text.ts'
import { ChatToolCalls, isClientCall } from './chat-tool-calls.ts'
import { ChoiceChunks } from './choice-chunks.ts'
import { CompletedItems } from './completed-items.ts'
import { isPrelude, isTerminal } from './event-types.ts'
import { type LiveDelta, liveIn } from './live-delta.ts'
import { type ChatUsage, chatUsage, sumUsage } from './usage.ts'

/** Turns the events of one Responses answer into Chat chunks of one choice, one event at a time. */
export class ChatStream {
  readonly #plan: ChatPlan
  readonly #head: ChunkHead
  readonly #chunks: ChoiceChunks
  readonly #answerHead: AnswerHead
  readonly #reasoning: ChatReasoning
  readonly #text: ChatText
  readonly #calls: ChatToolCalls
  readonly #completed = new CompletedItems()
  readonly #beforeCalls: [number, JsonObject][] = []
  readonly #images = new ChatImages()
  #visible = false
  #finished = false
  #upstreamEnded = false
  #failed = false
  #usage: ChatUsage | undefined

  /** The choices of one answer share a head, so that they have one id. */
  constructor(plan: ChatPlan, choice: number, head = new ChunkHead(plan.model), answerHead = NO_HEAD) {
    this.#plan = plan
    this.#answerHead = answerHead
    this.#head = head
    this.#chunks = new ChoiceChunks(plan, choice, head)
    this.#reasoning = new ChatReasoning(plan.showReasoning)
    this.#text = new ChatText(plan, this.#reasoning)
    this.#calls = new ChatToolCalls(plan)
  }

  /** The answer is complete, and nothing more needs to be read. Never true of a failed answer; it may be retried. */
  get ended(): boolean {
    return this.#upstreamEnded || this.cutShort
  }

  /** Upstream would continue, but a stop text has ended the answer, and no usage has to be reported. */
  get cutShort(): boolean {
    return this.#finished && !this.#upstreamEnded && this.#plan.stream && !this.#plan.includeUsage
  }

  /** The finish reason has been sent, maybe because of a stop text: upstream can only add its usage. */
  get finished(): boolean {
    return this.#finished
  }

  /** Something that a client can see has arrived, other than a failure: the 200 may be sent. */
  get visible(): boolean {
    return this.#visible
  }

  /** Whether everything that all chunks have in common is known. */
  get headKnown(): boolean {
    return this.#head.known
  }

  /** What the next event of this type, at the position of the last one, becomes. Undefined if it must be converted. */
  liveDelta(type: string): LiveDelta | undefined {
    return this.#finished ? undefined : liveIn(type, this.#text, this.#calls, this.#reasoning)
  }

  /** The chunk that it becomes, with an empty text. */
  liveChunk({ delta }: LiveDelta): ChatChunk {
    return this.#chunks.one(delta)
  }

  /** Text of live deltas that was copied without `convert` but is needed here: arguments of calls. */
  copied(text: string): void {
    this.#calls.copied(text)
  }

  get usage(): ChatUsage | undefined {
    return this.#usage
  }

  /** Encrypted reasoning items with the tool call they led to. */
  get reasonedCalls(): readonly ReasonedCall[] {
    return reasonedCalls(this.#beforeCalls, this.#calls.told)
  }

  /** Converts one parsed event to chunks. Throws the ApiError that a failure event stands for. */
  convert(event: unknown): ChatChunk[] {
    const fields = asObject(event)
    const type = asString(fields?.type)
    if (fields === undefined || type === undefined || this.ended || this.#failed) return []
    if (isTerminal(type)) return this.#terminal(fields)
    this.#visible ||= !isPrelude(type)
    if (this.#finished) return []

    const deltas = this.#deltas(type, fields)
    const chunks = deltas.length === 0 ? [] : this.#chunks.of(deltas)
    return this.#text.stopped ? [...chunks, ...this.#finish(this.#finishReason())] : chunks
  }

  /** Upstream has closed. */
  finish(): ChatChunk[] {
    if (this.ended || this.#failed) return []
    if (this.#finished) return this.#end()
    throw unfinishedError()
  }

  #deltas(type: string, event: JsonObject): ChatDelta[] {
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        this.#head.learn(asObject(event.response))
        return []

      case 'response.output_item.added':
        return this.#itemAdded(asIndex(event.output_index), asObject(event.item))
      case 'response.output_item.done':
        return this.#itemDone(asIndex(event.output_index), asObject(event.item))

      case 'response.output_text.delta':
        return this.#text.textDelta(event)
      case 'response.refusal.delta':
        return this.#text.refusalDelta(event)
      case 'response.output_text.done':
      case 'response.refusal.done':
      case 'response.content_part.done':
        return this.#text.partDone(event)
      case 'response.output_text.annotation.added':
        this.#text.annotation(event)
        return []

      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return this.#calls.delta(event)
      case 'response.function_call_arguments.done':
      case 'response.custom_tool_call_input.done':
        return this.#calls.argumentsDone(event)

      case 'response.reasoning_summary_text.delta':
        return this.#reasoning.delta(event, 'summary')
      case 'response.reasoning_summary_text.done':
      case 'response.reasoning_summary_part.done':
        return this.#reasoning.done(event, 'summary')
      case 'response.reasoning_text.delta':
        return this.#reasoning.delta(event, 'text')
      case 'response.reasoning_text.done':
        return this.#reasoning.done(event, 'text')

      default: // The API gains event types between releases: what Chat cannot show is ignored.
        return []
    }
  }

  #itemAdded(index: number | undefined, item: JsonObject | undefined): ChatDelta[] {
    if (index === undefined || item === undefined) return []
    if (item.type === 'message') return this.#text.open(index, item)
    return isClientCall(item) ? this.#call(index, item, () => this.#calls.open(index, item)) : []
  }

  /** Text that was held back comes before the call opens; a stop text in it ends the answer before the call. */
  #call(index: number, item: JsonObject, take: () => ChatDelta[]): ChatDelta[] {
    const before = this.#calls.isOpened(index, item) ? [] : this.#text.callOpened()
    return this.#text.stopped ? before : [...before, ...take()]
  }

  #itemDone(index: number | undefined, item: JsonObject | undefined): ChatDelta[] {
    if (index === undefined || item === undefined || this.#completed.has(index)) return []
    this.#completed.add(index, item)
    if (isClientCall(item)) return this.#call(index, item, () => this.#calls.itemDone(index, item))
    if (item.type === 'message') {
      this.#beforeCalls.push([index, TEXT_PLACE])
      return this.#text.itemDone(index, item)
    }
    if (item.type === 'reasoning') {
      this.#beforeCalls.push([index, item])
      return this.#reasoning.itemDone(index, item)
    }
    this.#images.itemDone(item)
    return []
  }

  #terminal(event: JsonObject): ChatChunk[] {
    const response = asObject(event.response)
    this.#head.learn(response)
    this.#usage = chatUsage(event)
    if (this.#finished) return this.#end()

    const error = eventError(event, 'chat', this.#answerHead)
    if (error !== undefined) {
      this.#failed = true
      throw error
    }
    this.#visible = true
    const isWhole = event.type !== 'response.incomplete' && response?.status !== 'incomplete'
    const deltas = this.#outputDone(asList(response?.output))
    if (isWhole) deltas.push(...this.#calls.end())
    deltas.push(...this.#reasoning.end(), ...this.#text.end())
    const reason = isWhole || this.#text.stopped ? this.#finishReason() : cutReason(response)
    return [...this.#chunks.of(deltas), ...this.#finish(reason), ...this.#end()]
  }

  #outputDone(output: readonly unknown[]): ChatDelta[] {
    const begun = () => [...this.#text.begun, ...this.#reasoning.begun, ...this.#calls.begun]
    const items = this.#completed.placed(output, begun)
    return items.flatMap(([index, item]) => (this.#text.stopped ? [] : this.#itemDone(index, item)))
  }

  #finish(reason: FinishReason): ChatChunk[] {
    const chunks = this.#chunks.of([...this.#images.end(), ...this.#text.citations()])
    this.#finished = true
    return [...chunks, ...this.#chunks.last(reason)]
  }

  #finishReason(): FinishReason {
    // A stop text may have ended the answer within a call, and a client must not act on half a call.
    if (!this.#calls.any || !this.#calls.complete) return 'stop'
    return this.#plan.legacyFunctions ? 'function_call' : 'tool_calls'
  }

  /** Several choices share one usage chunk, which comes after all of them. */
  #end(): ChatChunk[] {
    this.#upstreamEnded = true
    return this.#plan.choices === 1 && this.#plan.includeUsage ? [this.#head.usageChunk(sumUsage([this.#usage]))] : []
  }
}

/** The finish reason of an answer that upstream calls incomplete. */
function cutReason(response: JsonObject | undefined): FinishReason {
  const reason = asObject(response?.incomplete_details)?.reason
  return reason === 'content_filter' ? 'content_filter' : 'length'
}
