import type { ChatDelta } from './chat-chunk.ts'

/**
 * The place where text is streaming, and what the next delta there becomes as long as nothing else comes: one chunk
 * around its text.
 */
export type LiveDelta = {
  readonly outputIndex: number
  /** The field that counts the parts of an item, and which of them it is; calls have none. */
  readonly partField: 'content_index' | 'summary_index' | undefined
  readonly part: number
  /** The chunk's delta; its one empty string stands for the text. */
  readonly delta: ChatDelta
  /**
   * Which texts may be copied. `content`: any but those with a citation marker · `arguments`: any but the empty one, and
   * `ChatStream.copied` must be told · `reasoning`: any but the empty one and those with a newline.
   */
  readonly kind: 'content' | 'arguments' | 'reasoning'
}

type Holder = { readonly live: LiveDelta | undefined }

/** The live delta that events of this type belong to. */
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
