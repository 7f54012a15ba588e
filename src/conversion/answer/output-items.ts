import { asIndex, asObject, asString, type JsonObject } from '../../json-object.ts'
import { argumentsOf } from './chat-tool-calls.ts'

/**
 * Which text of an item an event carries, and in which field: `delta` has a further piece of it, any other field all of
 * it.
 */
type CarriedText = { readonly what: 'output_text' | 'refusal' | 'arguments' | 'input'; readonly field: string }

const CARRIED_TEXTS: ReadonlyMap<unknown, CarriedText> = new Map<unknown, CarriedText>([
  ['response.output_text.delta', { what: 'output_text', field: 'delta' }],
  ['response.output_text.done', { what: 'output_text', field: 'text' }],
  ['response.refusal.delta', { what: 'refusal', field: 'delta' }],
  ['response.refusal.done', { what: 'refusal', field: 'refusal' }],
  ['response.function_call_arguments.delta', { what: 'arguments', field: 'delta' }],
  ['response.function_call_arguments.done', { what: 'arguments', field: 'arguments' }],
  ['response.custom_tool_call_input.delta', { what: 'input', field: 'delta' }],
  ['response.custom_tool_call_input.done', { what: 'input', field: 'input' }],
])

/** What has arrived of an incomplete item. */
type Begun = {
  /** As it was announced: its type, and of a call its name and id. */
  item: JsonObject | undefined
  /** The texts by part; a call has one. */
  readonly texts: Map<number, { readonly what: CarriedText['what']; readonly text: string }>
}

/**
 * The items of an answer, gathered from its events: usually from `response.output_item.done`, and for an item that
 * never gets one from whatever arrived of it (case 144), except in streams, whose client has seen that. Identified by
 * output index, since ids may change between events.
 */
export class OutputItems {
  readonly #done = new Map<number, JsonObject>()
  readonly #begun = new Map<number, Begun>()

  add(event: unknown): void {
    const fields = asObject(event)
    const index = asIndex(fields?.output_index)
    if (fields === undefined || index === undefined) return
    const item = asObject(fields.item)
    const carried = CARRIED_TEXTS.get(fields.type)
    if (fields.type === 'response.output_item.done' && item !== undefined) {
      this.#done.set(index, item)
      this.#begun.delete(index)
    }
    if (this.#done.has(index)) return
    if (fields.type === 'response.output_item.added') this.#begunAt(index).item = item
    else if (carried !== undefined) this.#addText(this.#begunAt(index), fields, carried)
  }

  /** In the order of the answer; `status` is for items that never became complete. */
  list(status: 'completed' | 'incomplete'): JsonObject[] {
    const items = [...this.#done]
    for (const [index, begun] of this.#begun) {
      const item = itemOf(index, begun, status)
      if (item !== undefined) items.push([index, item])
    }
    return items.sort(([a], [b]) => a - b).map(([, item]) => item)
  }

  #begunAt(index: number): Begun {
    const begun = this.#begun.get(index) ?? { item: undefined, texts: new Map() }
    this.#begun.set(index, begun)
    return begun
  }

  #addText({ texts }: Begun, fields: JsonObject, { what, field }: CarriedText): void {
    const text = asString(fields[field])
    if (text === undefined) return
    const part = asIndex(fields.content_index) ?? 0
    const before = field === 'delta' ? (texts.get(part)?.text ?? '') : ''
    texts.set(part, { what, text: before + text })
  }
}

/** Undefined if nothing of it arrived, and for a call that was never announced, whose name is unknown. */
function itemOf(index: number, { item, texts }: Begun, status: string): JsonObject | undefined {
  const sorted = [...texts].sort(([a], [b]) => a - b).map(([, text]) => text)
  const [first] = sorted
  // A call may be announced together with its arguments.
  if (first === undefined) return item !== undefined && argumentsOf(item) ? { ...item, status } : undefined
  if (first.what === 'arguments' || first.what === 'input') {
    return item && { ...item, status, [first.what]: first.text }
  }
  const content = sorted.map(({ what, text }) =>
    what === 'refusal' ? { type: what, refusal: text } : { type: what, annotations: [], logprobs: [], text },
  )
  const message = item ?? { id: `msg_${index}`, type: 'message', role: 'assistant' }
  return { ...message, status, content }
}
