import type { ChatPlan } from '../chat-plan.ts'
import type { ChatChunk, ChatDelta, ChunkHead, FinishReason } from './chat-chunk.ts'

const TEXT_OPENING: ChatDelta = { role: 'assistant', content: '', refusal: null }
const REFUSAL_OPENING: ChatDelta = { role: 'assistant', content: null, refusal: '' }

/** Puts the deltas of one choice into chunks. The first chunk opens the message, in the form recorded for its kind. */
export class ChoiceChunks {
  readonly #stream: boolean
  readonly #includeUsage: boolean
  readonly #choice: number
  readonly #head: ChunkHead
  #begun = false

  constructor({ stream, includeUsage }: Pick<ChatPlan, 'stream' | 'includeUsage'>, choice: number, head: ChunkHead) {
    this.#stream = stream
    this.#includeUsage = includeUsage
    this.#choice = choice
    this.#head = head
  }

  of(deltas: readonly ChatDelta[]): ChatChunk[] {
    return deltas.flatMap((delta) => this.#begin(delta))
  }

  /** The end of the choice; an answer without any delta opens its message first. */
  last(reason: FinishReason): ChatChunk[] {
    return [...(this.#begun ? [] : [this.one(TEXT_OPENING)]), this.one({}, reason)]
  }

  /** One delta as a chunk, without an opening. */
  one(delta: ChatDelta, finishReason: FinishReason | null = null): ChatChunk {
    const choice = { index: this.#choice, delta, logprobs: null, finish_reason: finishReason }
    if (this.#stream) this.#head.settle()
    const chunk = this.#head.chunk([choice])
    if (this.#includeUsage) chunk.usage = null
    return chunk
  }

  #begin(delta: ChatDelta): ChatChunk[] {
    if (this.#begun) return [this.one(delta)]
    this.#begun = true
    if (delta.tool_calls !== undefined || delta.function_call !== undefined) {
      return [this.one({ role: 'assistant', content: null, ...delta, refusal: null })]
    }
    const opening = delta.refusal === undefined ? TEXT_OPENING : REFUSAL_OPENING
    return [this.one(opening), this.one(delta)]
  }
}
