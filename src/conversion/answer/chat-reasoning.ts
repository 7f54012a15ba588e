import { asIndex, asList, asObject, asString, type JsonObject } from '../../json-object.ts'
import type { ChatDelta } from './chat-chunk.ts'
import type { LiveDelta } from './live-delta.ts'
import { PlaceholderFilter } from './placeholder-filter.ts'

/** Upstream sends a summary of the reasoning; open models send the reasoning itself. */
type Kind = 'summary' | 'text'

/** Turns reasoning into `reasoning_content`: parts separated by a blank line, never in `content`. */
export class ChatReasoning {
  readonly #shown: boolean
  /** For each item, the kind of reasoning that came first; the other kind would repeat it. */
  #kinds: Map<number, Kind> | undefined
  /** By name, the pieces of reasoning whose text has begun. */
  #parts: Map<string, PlaceholderFilter> | undefined
  #lastPart: string | undefined
  /** Where the last delta belongs. */
  #current: { readonly outputIndex: number; readonly part: number; readonly kind: Kind } | undefined

  constructor(shown: boolean) {
    this.#shown = shown
  }

  get live(): LiveDelta | undefined {
    if (this.#current === undefined) return undefined
    const { outputIndex, part, kind } = this.#current
    const name = partName(outputIndex, part)
    if (this.#lastPart !== name || this.#parts?.get(name)?.withinLine !== true) return undefined
    return { outputIndex, partField: partField(kind), part, delta: { reasoning_content: '' }, kind: 'reasoning' }
  }

  /** Output indexes of reasoning, with what it is. */
  get begun(): readonly (readonly [number, string])[] {
    return [...(this.#kinds?.keys() ?? [])].map((index) => [index, 'reasoning'])
  }

  delta(event: JsonObject, kind: Kind): ChatDelta[] {
    const item = asIndex(event.output_index)
    const text = asString(event.delta)
    this.#current = undefined
    if (item === undefined || text === undefined || !this.#accepts(item, kind)) return []
    const part = partIndex(event, kind)
    this.#current = { outputIndex: item, part, kind }
    return this.#push(partName(item, part), text)
  }

  /** A part as a whole, in the event itself or as its `part`. */
  done(event: JsonObject, kind: Kind): ChatDelta[] {
    const item = asIndex(event.output_index)
    const whole = typeof event.text === 'string' ? event : event.part
    return item === undefined ? [] : this.#snapshot(item, partIndex(event, kind), kind, whole)
  }

  itemDone(index: number, item: JsonObject): ChatDelta[] {
    const summary = asList(item.summary).flatMap((part, at) => this.#snapshot(index, at, 'summary', part))
    return [...summary, ...asList(item.content).flatMap((part, at) => this.#snapshot(index, at, 'text', part))]
  }

  /** Text of a message that turned out not to be part of the actual answer. */
  commentary(index: number, text: string): ChatDelta[] {
    return this.#show(`message ${index}`, text)
  }

  end(): ChatDelta[] {
    return [...(this.#parts ?? [])].flatMap(([name, filter]) => this.#show(name, filter.end()))
  }

  /** The text of a whole part is shown if it did not come in deltas. */
  #snapshot(item: number, part: number, kind: Kind, whole: unknown): ChatDelta[] {
    const text = asString(asObject(whole)?.text)
    if (text === undefined || !this.#accepts(item, kind)) return []
    const name = partName(item, part)
    const streamed = this.#parts?.has(name) === true
    return [...(streamed ? [] : this.#push(name, text)), ...this.#show(name, this.#parts?.get(name)?.end() ?? '')]
  }

  #accepts(item: number, kind: Kind): boolean {
    this.#kinds ??= new Map()
    if (!this.#kinds.has(item)) this.#kinds.set(item, kind)
    return this.#kinds.get(item) === kind
  }

  #push(name: string, text: string): ChatDelta[] {
    if (text === '') return []
    this.#parts ??= new Map()
    const filter = this.#parts.get(name) ?? new PlaceholderFilter()
    this.#parts.set(name, filter)
    return this.#show(name, filter.push(text))
  }

  #show(part: string, text: string): ChatDelta[] {
    if (text === '' || !this.#shown) return []
    const separator = this.#lastPart === undefined || this.#lastPart === part ? '' : '\n\n'
    this.#lastPart = part
    return [{ reasoning_content: separator + text }]
  }
}

function partField(kind: Kind): 'summary_index' | 'content_index' {
  return kind === 'summary' ? 'summary_index' : 'content_index'
}

function partIndex(event: JsonObject, kind: Kind): number {
  return asIndex(event[partField(kind)]) ?? 0
}

function partName(item: number, part: number): string {
  return `reasoning ${item} ${part}`
}
