import type {
  ChatChunk,
  ChatDelta,
  ChatToolCall,
  ChunkHead,
  FinishReason,
  ImageResult,
  ToolCallDelta,
  UrlCitation,
} from './chat-chunk.ts'
import type { ChatUsage } from './usage.ts'

type ChatMessage = {
  role: 'assistant'
  content: string | null
  reasoning_content?: string
  tool_calls?: ChatToolCall[]
  function_call?: { name: string; arguments: string }
  refusal: string | null
  annotations: UrlCitation[]
  images?: ImageResult[]
}

/** A `chat.completion`: exactly the fields, in the order, of recorded Chat Completions answers. */
export type ChatCompletion = {
  id: string
  object: 'chat.completion'
  created: number
  model: string
  choices: { index: number; message: ChatMessage; logprobs: null; finish_reason: FinishReason }[]
  usage: ChatUsage
  service_tier: string | null
  system_fingerprint: string | null
}

/** Joins the chunks of an answer, of one or more choices, as they come: together at the end they take long. */
export class JoinedChunks {
  readonly #choices = new Map<number, JoinedChoice>()

  add(chunks: Iterable<ChatChunk>): void {
    for (const { choices } of chunks) {
      for (const { index, delta, finish_reason } of choices) this.#choice(index).add(delta, finish_reason)
    }
  }

  /** `usage` is that of the whole answer. */
  completion(head: ChunkHead, usage: ChatUsage): ChatCompletion {
    const { id, created, model, service_tier, system_fingerprint } = head.chunk([])
    return {
      id,
      object: 'chat.completion',
      created,
      model,
      choices: [...this.#choices].sort(([a], [b]) => a - b).map(([index, choice]) => ({ index, ...choice.joined() })),
      usage,
      service_tier,
      system_fingerprint,
    }
  }

  #choice(index: number): JoinedChoice {
    const choice = this.#choices.get(index) ?? new JoinedChoice()
    this.#choices.set(index, choice)
    return choice
  }
}

class JoinedChoice {
  #content = ''
  #reasoning = ''
  #refusal: string | undefined
  #functionCall: { name: string; arguments: string } | undefined
  readonly #toolCalls = new Map<number, ChatToolCall>()
  readonly #annotations: UrlCitation[] = []
  readonly #images: ImageResult[] = []
  #finishReason: FinishReason = 'stop'

  add(delta: ChatDelta, finishReason: FinishReason | null): void {
    this.#content += delta.content ?? ''
    this.#reasoning += delta.reasoning_content ?? ''
    if (typeof delta.refusal === 'string') this.#refusal = (this.#refusal ?? '') + delta.refusal
    for (const part of delta.tool_calls ?? []) this.#addToolCall(part)
    if (delta.function_call !== undefined) this.#addFunctionCall(delta.function_call)
    this.#annotations.push(...(delta.annotations ?? []))
    this.#images.push(...(delta.images ?? []))
    this.#finishReason = finishReason ?? this.#finishReason
  }

  joined(): { message: ChatMessage; logprobs: null; finish_reason: FinishReason } {
    const toolCalls = [...this.#toolCalls.values()]
    const hasOther = toolCalls.length > 0 || this.#functionCall !== undefined || this.#refusal !== undefined
    const message: ChatMessage = {
      role: 'assistant',
      content: this.#content === '' && hasOther ? null : this.#content,
      ...(this.#reasoning !== '' && { reasoning_content: this.#reasoning }),
      ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
      ...(this.#functionCall !== undefined && { function_call: this.#functionCall }),
      refusal: this.#refusal ?? null,
      annotations: this.#annotations,
      ...(this.#images.length > 0 && { images: this.#images }),
    }
    return { message, logprobs: null, finish_reason: this.#finishReason }
  }

  #addToolCall(part: ToolCallDelta): void {
    if ('id' in part) {
      const { index, ...call } = structuredClone(part)
      this.#toolCalls.set(index, call)
      return
    }
    const call = this.#toolCalls.get(part.index)
    if (call?.type === 'function' && 'function' in part) call.function.arguments += part.function.arguments
    if (call?.type === 'custom' && 'custom' in part) call.custom.input += part.custom.input
  }

  #addFunctionCall({ name, arguments: text }: { name?: string; arguments: string }): void {
    const call = this.#functionCall
    this.#functionCall = { name: call?.name ?? name ?? '', arguments: (call?.arguments ?? '') + text }
  }
}
