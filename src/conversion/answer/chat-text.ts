import { asIndex, asList, asString, type JsonObject, objectOf, textOf } from '../../json-object.ts'
import type { ChatPlan } from '../chat-plan.ts'
import type { ChatDelta, UrlCitation } from './chat-chunk.ts'
import type { ChatReasoning } from './chat-reasoning.ts'
import { hasMarker, MarkerFilter } from './citation-markers.ts'
import { citationsIn, urlCitation } from './citations.ts'
import type { LiveDelta } from './live-delta.ts'
import { type Destination, type Message, type Part, partIn, partOf } from './message-parts.ts'
import { StopSequence } from './stop-sequence.ts'

const COMMENTARY = new Set(['commentary', 'analysis'])

/** Turns messages into `content`, `refusal`, `annotations`, and commentary into `reasoning_content`. */
export class ChatText {
  readonly #reasoning: ChatReasoning
  readonly #jsonOutput: boolean
  readonly #stop: StopSequence
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
    this.#stop = new StopSequence(plan.stop)
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
    const isLive = this.#live?.outputIndex === index && this.#live.part === partIndex
    if (isLive && !hasMarker(text)) return [{ content: text }]

    const { message, before } = this.#opened(index)
    if (text === '') return before
    const part = partOf(message, partIndex)
    part.streamed = true
    // A stop text may end the answer before the whole text has arrived, which the positions of citations depend on.
    if (this.#stop.active) part.text += text
    const deltas = this.#text(message, text)
    if (message === this.#contentFrom && !this.#stop.active && !message.markers.holds) {
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
    const parts = asList(item.content).flatMap((part, at) => this.#snapshot(index, at, objectOf(part)))
    return [...before, ...parts]
  }

  refusalDelta(event: JsonObject): ChatDelta[] {
    const index = asIndex(event.output_index)
    const refusal = textOf(event.delta)
    if (index === undefined || refusal === undefined) return []
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

  /** A tool call begins: commentary before it is what the user reads while the tool runs. */
  callOpened(): ChatDelta[] {
    return this.#withRest(this.#decide('content'))
  }

  end(): ChatDelta[] {
    const isOnlyText = this.#contentFrom === undefined && this.#refusalFrom === undefined
    return this.#withRest(this.#decide(isOnlyText ? 'content' : 'reasoning'))
  }

  /** Adds what was held back as the possible beginning of a stop text: no text follows, so it was not one. */
  #withRest(decided: ChatDelta[]): ChatDelta[] {
    const all = [...decided, ...this.#noMarkers()]
    const rest = this.#stop.end()
    return rest === '' ? all : [...all, { content: rest }]
  }

  /** All citations, with their positions in the whole content; except those in text that a stop text cut off. */
  citations(): ChatDelta[] {
    // Usually there are none, and counting the characters of a long answer takes time.
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

  /** The message at this index, and the deltas to send first if it opens only now. */
  #opened(index: number, item: JsonObject = {}): { message: Message; before: ChatDelta[] } {
    const known = this.#message(index)
    if (known !== undefined) return { message: known, before: [] }
    const before = [...this.#decide('reasoning'), ...this.#noMarkers()]
    const isCommentary = COMMENTARY.has(asString(item.phase) ?? '')
    const message: Message = {
      index,
      destination: this.#firstDestination(isCommentary),
      held: '',
      markers: new MarkerFilter(),
      shown: false,
      parts: [],
    }
    this.#messages = this.#messages.concat(message)
    if (message.destination === 'undecided') this.#undecided = message
    return { message, before }
  }

  #cite(part: Part, at: number, citation: UrlCitation): void {
    part.annotations ??= new Map()
    part.annotations.set(at, citation)
    this.#cites = true
  }

  #firstDestination(isCommentary: boolean): Destination {
    if (!isCommentary) return 'content'
    return this.#jsonOutput ? 'reasoning' : 'undecided'
  }

  #decide(destination: 'content' | 'reasoning'): ChatDelta[] {
    const message = this.#undecided
    if (message === undefined) return []
    this.#undecided = undefined
    message.destination = destination
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
    if (message.destination === 'undecided') {
      message.held += text
      return []
    }
    const passed = message.markers.push(text)
    // The next delta may end what is held back.
    if (message.markers.holds) this.#live = undefined
    return passed === '' ? [] : this.#shown(message, passed)
  }

  /** Text that might have become markers, but these messages have ended. */
  #noMarkers(): ChatDelta[] {
    const begun = this.#messages.filter(({ markers }) => markers.holds)
    return begun.flatMap((message) => this.#shown(message, message.markers.end()))
  }

  #shown(message: Message, text: string): ChatDelta[] {
    if (message.destination === 'reasoning') return this.#reasoning.commentary(message.index, text)
    // In JSON mode each message is a whole answer (recorded); two of them joined would not parse.
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

function liveContent(outputIndex: number, part: number): LiveDelta {
  return { outputIndex, partField: 'content_index', part, delta: { content: '' }, kind: 'content' }
}
