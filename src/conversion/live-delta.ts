import type { ChatDelta } from './chat-chunk.ts'

/**
 * Where text comes in deltas now, and what the next one there becomes as long as nothing else comes: one chunk with its
 * text in it.
 */
export type LiveDelta = {
  readonly outputIndex: number
  /** The field that counts the parts of an item, and which of them it is; calls have none. */
  readonly partField: 'content_index' | 'summary_index' | undefined
  readonly part: number
  /** The chunk's delta; its one empty string stands for the text. */
  readonly delta: ChatDelta
  /**
   * `content`: whatever the text is · `arguments`: unless it is empty, and `ChatStream.copied` must be told of it ·
   * `reasoning`: unless it is empty or has a newline.
   */
  readonly kind: 'content' | 'arguments' | 'reasoning'
}

type Holder = { readonly live: LiveDelta | undefined }

/** What is live where events of this type belong. */
export function liveIn(type: string, text: Holder, calls: Holder, reasoning: Holder): LiveDelta | undefined {
  switch (type) {
    case 'response.output_text.delta':
      return text.live
    case 'response.function_call_arguments.delta':
    case 'response.custom_tool_call_input.delta':
      return calls.live
    case 'response.reasoning_summary_text.delta':
    case 'response.reasoning_text.delta':
      return reasoning.live
    default:
      return undefined
  }
}
