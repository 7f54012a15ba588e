import { asNumber, asString, type JsonObject } from '../../json-object.ts'
import type { ChatUsage } from './usage.ts'

export type ChatToolCall =
  | { id: string; type: 'function'; function: { name: string; arguments: string } }
  | { id: string; type: 'custom'; custom: { name: string; input: string } }

/** The first delta of a call names it, the others carry more of its text. */
export type ToolCallDelta =
  | ({ index: number } & ChatToolCall)
  | { index: number; function: { arguments: string } }
  | { index: number; custom: { input: string } }

export type UrlCitation = {
  type: 'url_citation'
  url_citation: { end_index: number; start_index: number; title: string; url: string }
}

export type ImageResult = { type: 'image_url'; image_url: { url: string } }

export type ChatDelta = {
  role?: 'assistant'
  content?: string | null
  reasoning_content?: string
  tool_calls?: ToolCallDelta[]
  function_call?: { name?: string; arguments: string }
  refusal?: string | null
  annotations?: UrlCitation[]
  images?: ImageResult[]
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call'

/** A `chat.completion.chunk`: exactly the fields, in the order, of recorded Chat Completions streams. */
export type ChatChunk = {
  id: string
  object: 'chat.completion.chunk'
  created: number
  model: string
  service_tier: string | null
  system_fingerprint: string | null
  choices: { index: number; delta: ChatDelta; logprobs: null; finish_reason: FinishReason | null }[]
  /** Absent unless the request asked for usage; then null on all chunks but the last. */
  usage?: ChatUsage | null
}

/**
 * What all chunks of one answer have in common, learnt from upstream's events. The choices of an answer share a head,
 * and so an id. The first value is kept, since ids may change between events (recorded).
 */
export class ChunkHead {
  readonly #requestedModel: string
  #id: string | undefined
  #created: number | undefined
  #model: string | undefined
  #tier: string | null = null
  #settled = false

  constructor(requestedModel: string) {
    this.#requestedModel = requestedModel
  }

  /** Everything but the tier is known. */
  get known(): boolean {
    const isLearnt = this.#id !== undefined && this.#created !== undefined && this.#model !== undefined
    return this.#settled || isLearnt
  }

  /** The model that has answered, as upstream calls it. */
  get model(): string | undefined {
    return this.#model
  }

  /** The client has got the first chunk: all others must have the same id, even if it does not come from upstream. */
  settle(): void {
    this.#settled = true
  }

  learn(response: JsonObject | undefined): void {
    this.#tier = tierOf(response) ?? this.#tier
    if (this.#settled) return
    this.#id ??= asString(response?.id)?.replace(/^resp_/, '')
    this.#created ??= asNumber(response?.created_at)
    this.#model ??= asString(response?.model)
  }

  chunk(choices: ChatChunk['choices']): ChatChunk {
    return {
      id: `chatcmpl-${this.#id ?? 'unknown'}`,
      object: 'chat.completion.chunk',
      created: Math.floor(this.#created ?? 0),
      model: this.#model ?? this.#requestedModel,
      service_tier: this.#tier,
      system_fingerprint: null,
      choices,
    }
  }

  /** The last chunk of an answer that must report usage. */
  usageChunk(usage: ChatUsage): ChatChunk {
    const chunk = this.chunk([])
    chunk.usage = usage
    return chunk
  }
}

/** Upstream says `auto` until it has chosen; Chat answers name the tier that served them. */
function tierOf(response: JsonObject | undefined): string | undefined {
  const tier = asString(response?.service_tier)
  return tier === 'auto' ? 'default' : tier
}
