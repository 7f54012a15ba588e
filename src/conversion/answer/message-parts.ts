import { asObject, type JsonObject } from '../../json-object.ts'
import type { UrlCitation } from './chat-chunk.ts'
import type { MarkerFilter } from './citation-markers.ts'

/**
 * Where the text of a message goes. For commentary this is decided later: to `content` if a tool call follows or
 * nothing else comes, else to `reasoning_content`.
 */
export type Destination = 'content' | 'reasoning' | 'undecided'

export type Part = {
  readonly index: number
  /** Its text has arrived, usually in deltas, so later events with the whole text add nothing. */
  streamed: boolean
  /** The whole text, once it has arrived. */
  text: string
  /** Absent as long as there are none. */
  annotations: Map<number, UrlCitation> | undefined
}

export type Message = {
  readonly index: number
  destination: Destination
  /** Text held back until its destination is decided. */
  held: string
  /** Holds back the end of its text while that may become a citation marker. */
  readonly markers: MarkerFilter
  /** Some of it was sent as `content`. */
  shown: boolean
  /** A list, not a map: there is mostly one part, and many streams may be waiting at a time (docs/performance.md). */
  parts: readonly Part[]
}

export function partOf(message: Message, index: number): Part {
  const known = message.parts.find((part) => part.index === index)
  if (known !== undefined) return known
  const part: Part = { index, streamed: false, text: '', annotations: undefined }
  message.parts = message.parts.concat(part)
  return part
}

/** The part in a `…done` event, in the form it has in an item. */
export function partIn(event: JsonObject): JsonObject {
  const part = asObject(event.part)
  if (part !== undefined) return part
  return 'refusal' in event ? { type: 'refusal', refusal: event.refusal } : { type: 'output_text', text: event.text }
}
