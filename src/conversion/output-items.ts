import type { JsonObject } from './chat-plan.ts'
import { asIndex, asObject, asString } from './json.ts'

/**
 * The items of an answer, gathered from its events: as a rule from `response.output_item.done`, and for an item that
 * is never whole from the text that came for it. By output index, never by id: ids may change between events.
 */
export class OutputItems {
  readonly #items = new Map<number, JsonObject>()
  readonly #texts = new Map<number, Map<number, string>>()

  add(event: unknown): void {
    const fields = asObject(event)
    const index = asIndex(fields?.output_index)
    if (fields === undefined || index === undefined) return
    const part = asIndex(fields.content_index) ?? 0
    switch (fields.type) {
      case 'response.output_item.done':
        this.#add(index, asObject(fields.item))
        break
      case 'response.output_text.delta':
        this.#addText(index, part, (this.#texts.get(index)?.get(part) ?? '') + (asString(fields.delta) ?? ''))
        break
      case 'response.output_text.done':
        this.#addText(index, part, asString(fields.text))
        break
    }
  }

  /** In the order of the answer. */
  get list(): JsonObject[] {
    const messages = [...this.#texts].map(([index, parts]) => [index, messageOf(index, parts)] as const)
    return [...this.#items, ...messages].sort(([a], [b]) => a - b).map(([, item]) => item)
  }

  #add(index: number, item: JsonObject | undefined): void {
    if (item === undefined) return
    this.#items.set(index, item)
    this.#texts.delete(index)
  }

  #addText(index: number, part: number, text: string | undefined): void {
    if (text === undefined || this.#items.has(index)) return
    const parts = this.#texts.get(index) ?? new Map<number, string>()
    this.#texts.set(index, parts.set(part, text))
  }
}

function messageOf(index: number, parts: ReadonlyMap<number, string>): JsonObject {
  const texts = [...parts].sort(([a], [b]) => a - b)
  return {
    id: `msg_${index}`,
    type: 'message',
    status: 'completed',
    content: texts.map(([, text]) => ({ type: 'output_text', annotations: [], logprobs: [], text })),
    role: 'assistant',
  }
}
