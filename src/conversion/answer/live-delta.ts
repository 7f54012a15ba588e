import type { ChatDelta } from './chat-chunk.ts'

/**
 * The position where text is streaming, and what the next delta there becomes as long as nothing else arrives: one
 * chunk around its text.
 */
export type LiveDelta = {
  readonly outputIndex: number
  /** The field that numbers the parts of an item, and its value; calls have none. */
  readonly partField: 'content_index' | 'summary_index' | undefined
  readonly part: number
  /** The chunk's delta; its one empty string stands for the text. */
  readonly delta: ChatDelta
  /**
   * Which texts may be copied. `content`: any except those with a citation marker · `arguments`: any except the empty
   * one, and `ChatStream.copied` must be called · `reasoning`: any except the empty one and those with a newline.
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
