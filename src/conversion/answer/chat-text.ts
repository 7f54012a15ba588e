import { asIndex, asList, asObject, asString, type JsonObject } from '../../json-object.ts'
import type { ChatPlan } from '../chat-plan.ts'
import { type ChatDelta, type UrlCitation, urlCitation } from './chat-chunk.ts'
import type { ChatReasoning } from './chat-reasoning.ts'
import { citationsIn } from './citations.ts'
import type { LiveDelta } from './live-delta.ts'
import { StopText } from './stop-text.ts'

/**
 * Where the text of a message goes. For commentary that is decided later: to `content` if a tool call follows or
 * nothing else comes, else to `reasoning_content`.
 */
type Fate = 'content' | 'reasoning' | 'undecided'

type Part = {
  readonly index: number
  /** Its text has come, as a rule in deltas, so later events with the whole text say nothing new. */
  streamed: boolean
  /** The whole text, once told. */
  text: string
  /** Absent as long as there are none. */
  annotations: Map<number, UrlCitation> | undefined
}

type Message = {
  readonly index: number
  fate: Fate
  held: string
  /** Some of it was sent as `content`. */
  shown: boolean
  /** A list, not a map: there is mostly one part, and many streams may wait at a time (docs/performance.md). */
  parts: readonly Part[]
}

const COMMENTARY = new Set(['commentary', 'analysis'])

/** Turns messages into `content`, `refusal`, `annotations`, and commentary into `reasoning_content`. */
export class ChatText {
  readonly #reasoning: ChatReasoning
  readonly #jsonOutput: boolean
  readonly #stop: StopText
  #messages: readonly Message[] = []
  #undecided: Message | undefined
  /** The message whose text was last sent as `content`. */
  #contentFrom: Message | undefined
  #refusalFrom: Message | undefined
  #live: LiveDelta | undefined
  #cites = false

  constructor(plan: ChatPlan, reasoning: ChatReasoning) {
    this.#reasoning = reasoning
    this.#jsonOutput = plan.jsonOutput
    this.#stop = new StopText(plan.stop)
  }

  /** A stop text ended the answer. */
  get stopped(): boolean {
    return this.#stop.stopped
  }

  get live(): LiveDelta | undefined {
    return this.#live
  }

  /** Output indexes of messages, with what they are. */
  get begun(): readonly (readonly [number, string])[] {
    return this.#messages.map(({ index }) => [index, 'message'])
  }

  open(index: number, item: JsonObject): ChatDelta[] {
    return this.#opened(index, item).before
  }

  textDelta(event: JsonObject): ChatDelta[] {
    const index = asIndex(event.output_index)
    const text = asString(event.delta)
    if (index === undefined || text === undefined) return []
    const partIndex = asIndex(event.content_index) ?? 0
    if (this.#live?.outputIndex === index && this.#live.part === partIndex) return [{ content: text }]

    const { message, before } = this.#opened(index)
    if (text === '') return before
    partOf(message, partIndex).streamed = true
    const deltas = this.#text(message, text)
    if (message === this.#contentFrom && !this.#stop.active) {
      this.#live = liveContent(index, partIndex)
    }
    return [...before, ...deltas]
  }

  /** `response.output_text.done`, `response.refusal.done`, `response.content_part.done`: a part as a whole. */
  partDone(event: JsonObject): ChatDelta[] {
    const index = asIndex(event.output_index)
    return index === undefined ? [] : this.#snapshot(index, asIndex(event.content_index) ?? 0, partIn(event))
  }

  itemDone(index: number, item: JsonObject): ChatDelta[] {
    const before = this.open(index, item)
    const parts = asList(item.content).flatMap((part, at) => this.#snapshot(index, at, asObject(part) ?? {}))
    return [...before, ...parts]
  }

  refusalDelta(event: JsonObject): ChatDelta[] {
    const index = asIndex(event.output_index)
    const refusal = asString(event.delta)
    if (index === undefined || refusal === undefined || refusal === '') return []
    const { message, before } = this.#opened(index)
    partOf(message, asIndex(event.content_index) ?? 0).streamed = true
    return [...before, ...this.#refusal(message, refusal)]
  }

  annotation(event: JsonObject): void {
    const at = asIndex(event.content_index) ?? 0
    const part = this.#message(asIndex(event.output_index))?.parts.find(({ index }) => index === at)
    const citation = urlCitation(event.annotation)
    if (part === undefined || citation === undefined) return
    this.#cite(part, asIndex(event.annotation_index) ?? part.annotations?.size ?? 0, citation)
  }

  /** A tool call begins: commentary before it is what a person reads while the tool runs. */
  callOpened(): ChatDelta[] {
    return this.#withRest(this.#decide('content'))
  }

  end(): ChatDelta[] {
    const isOnlyText = this.#contentFrom === undefined && this.#refusalFrom === undefined
    return this.#withRest(this.#decide(isOnlyText ? 'content' : 'reasoning'))
  }

  /** Adds what was held back as the possible beginning of a stop text: no text follows, so it was none. */
  #withRest(decided: ChatDelta[]): ChatDelta[] {
    const rest = this.#stop.end()
    return rest === '' ? decided : [...decided, { content: rest }]
  }

  /** All citations, with their positions in the whole content; without those in what a stop text cut off. */
  citations(): ChatDelta[] {
    // As a rule there are none, and counting the characters of a long answer takes time.
    if (!this.#cites) return []
    const shown = this.#messages.filter((message) => message.shown)
    const all = citationsIn(shown, SEPARATOR)
    const annotations = this.stopped
      ? all.filter(({ url_citation: { end_index } }) => end_index <= this.#stop.passed)
      : all
    return annotations.length === 0 ? [] : [{ annotations }]
  }

  #message(index: number | undefined): Message | undefined {
    return this.#messages.find((message) => message.index === index)
  }

  /** The message at this index, and what goes to the client before it if it opens only now. */
  #opened(index: number, item: JsonObject = {}): { message: Message; before: ChatDelta[] } {
    const known = this.#message(index)
    if (known !== undefined) return { message: known, before: [] }
    const before = this.#decide('reasoning')
    const isCommentary = COMMENTARY.has(asString(item.phase) ?? '')
    const message: Message = { index, fate: this.#firstFate(isCommentary), held: '', shown: false, parts: [] }
    this.#messages = this.#messages.concat(message)
    if (message.fate === 'undecided') this.#undecided = message
    return { message, before }
  }

  #cite(part: Part, at: number, citation: UrlCitation): void {
    part.annotations ??= new Map()
    part.annotations.set(at, citation)
    this.#cites = true
  }

  #firstFate(isCommentary: boolean): Fate {
    if (!isCommentary) return 'content'
    return this.#jsonOutput ? 'reasoning' : 'undecided'
  }

  #decide(fate: 'content' | 'reasoning'): ChatDelta[] {
    const message = this.#undecided
    if (message === undefined) return []
    this.#undecided = undefined
    message.fate = fate
    return message.held === '' ? [] : this.#text(message, message.held)
  }

  #snapshot(index: number, partIndex: number, value: JsonObject): ChatDelta[] {
    const text = value.type === 'output_text' ? asString(value.text) : undefined
    const refusal = value.type === 'refusal' ? asString(value.refusal) : undefined
    const told = text ?? refusal
    if (told === undefined) return []
    const { message, before } = this.#opened(index)
    const part = partOf(message, partIndex)
    for (const [at, annotation] of asList(value.annotations).entries()) {
      const citation = urlCitation(annotation)
      if (citation !== undefined) this.#cite(part, at, citation)
    }
    const isNew = !part.streamed && told !== ''
    part.streamed ||= isNew
    part.text = text ?? ''
    if (!isNew) return before
    return [...before, ...(text === undefined ? this.#refusal(message, told) : this.#text(message, told))]
  }

  #text(message: Message, text: string): ChatDelta[] {
    if (message.fate === 'undecided') {
      message.held += text
      return []
    }
    if (message.fate === 'reasoning') return this.#reasoning.commentary(message.index, text)
    // In JSON mode each message is a whole answer (recorded): joined, two would not parse.
    if (this.#jsonOutput && this.#contentFrom !== undefined && this.#contentFrom !== message) return []

    const separator = this.#contentFrom === undefined || this.#contentFrom === message ? '' : SEPARATOR
    this.#contentFrom = message
    message.shown = true
    this.#live = undefined
    const all = separator + text
    const content = this.#stop.active ? this.#stop.push(all) : all
    return content === '' ? [] : [{ content }]
  }

  #refusal(message: Message, refusal: string): ChatDelta[] {
    if (this.stopped) return []
    const separator = this.#refusalFrom === undefined || this.#refusalFrom === message ? '' : SEPARATOR
    this.#refusalFrom = message
    return [{ refusal: separator + refusal }]
  }
}

const SEPARATOR = '\n\n'

/** The part that a `…done` event tells of, in the form it has in an item. */
function partIn(event: JsonObject): JsonObject {
  const part = asObject(event.part)
  if (part !== undefined) return part
  return 'refusal' in event ? { type: 'refusal', refusal: event.refusal } : { type: 'output_text', text: event.text }
}

function liveContent(outputIndex: number, part: number): LiveDelta {
  return { outputIndex, partField: 'content_index', part, delta: { content: '' }, kind: 'content' }
}

function partOf(message: Message, index: number): Part {
  const known = message.parts.find((part) => part.index === index)
  if (known !== undefined) return known
  const part: Part = { index, streamed: false, text: '', annotations: undefined }
  message.parts = message.parts.concat(part)
  return part
}
