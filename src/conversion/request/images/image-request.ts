import { isObject, type JsonObject, textOf, without } from '../../../json-object.ts'
import { ReportedFields } from '../reported-fields.ts'

/** What Codex names. The backend makes the image with a model of its own choice, whichever is named (docs/upstream.md 4.1). */
const MODEL = 'gpt-image-2'
const OF_STREAMS = ['stream', 'partial_images']

export type ImageRequest = {
  readonly body: JsonObject
  /** The client waits for events. */
  readonly stream: boolean
  /** Fields that were asked for and have no effect. */
  readonly ignored: readonly string[]
}

/**
 * A request of the Images API as the backend takes it: with a model, and without the fields of a stream, which the backend
 * does not make. Undefined if it is so already, or no request at all, for upstream to refuse.
 */
export function imageRequestOf(given: unknown, strict: boolean): ImageRequest | undefined {
  if (!isObject(given)) return undefined
  const model = textOf(given.model)
  if (model !== undefined && !OF_STREAMS.some((name) => name in given)) return undefined
  const reported = new ReportedFields(strict)
  if (Number(given.partial_images) > 0) reported.add('partial_images')
  const body = { ...without(given, OF_STREAMS), model: model ?? MODEL }
  return { body, stream: given.stream === true, ignored: reported.names }
}
