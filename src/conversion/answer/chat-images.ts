import { asString, type JsonObject, textOf } from '../../json-object.ts'
import type { ChatDelta, ImageResult } from './chat-chunk.ts'

/** Gathers generated images for one delta: if `images` came in several deltas, clients would keep only the last. */
export class ChatImages {
  readonly #images: ImageResult[] = []

  /** Takes a finished item; keeps it if it is an image. */
  itemDone(item: JsonObject): void {
    const base64 = item.type === 'image_generation_call' ? textOf(item.result) : undefined
    if (base64 === undefined) return
    const format = asString(item.output_format) ?? 'png'
    const type = format === 'svg' ? 'svg+xml' : format
    this.#images.push({ type: 'image_url', image_url: { url: `data:image/${type};base64,${base64}` } })
  }

  /** Chat has no field for images; clients read `images` (case 141). */
  end(): ChatDelta[] {
    return this.#images.length === 0 ? [] : [{ images: this.#images }]
  }
}
