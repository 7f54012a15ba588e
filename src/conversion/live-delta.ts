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
