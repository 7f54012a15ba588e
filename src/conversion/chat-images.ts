import { asString, type JsonObject } from '../json-object.ts'
import type { ChatDelta, ImageResult } from './chat-chunk.ts'

/** Gathers generated images: `images` comes in one delta, since of a list that comes in several clients keep the last. */
export class ChatImages {
  readonly #images: ImageResult[] = []

  /** A finished item; of those that are no image nothing is kept. */
  itemDone(item: JsonObject): void {
    const base64 = item.type === 'image_generation_call' ? asString(item.result) : undefined
    if (base64 === undefined || base64 === '') return
    const format = asString(item.output_format) ?? 'png'
    this.#images.push({ type: 'image_url', image_url: { url: `data:image/${format};base64,${base64}` } })
  }

  /** Chat has no field of its own for them, clients read `images` (case 141). */
  end(): ChatDelta[] {
    return this.#images.length === 0 ? [] : [{ images: this.#images }]
  }
}
