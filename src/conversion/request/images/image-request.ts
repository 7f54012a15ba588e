import { isObject, type JsonObject, textOf, without } from '../../../json-object.ts'
import { ReportedFields } from '../reported-fields.ts'

/** The model that Codex names. The backend chooses the model by itself, whichever is named (docs/upstream.md 4.1). */
const MODEL = 'gpt-image-2'
const OF_STREAMS = ['stream', 'partial_images']

type ImageRequest = {
  readonly body: JsonObject
  /** The client waits for events. */
  readonly stream: boolean
  /** Requested fields that have no effect. */
  readonly ignored: readonly string[]
}

/**
 * Converts an Images API request to what the backend accepts: with a model, and without streaming fields, which the
 * backend does not support. Undefined if nothing has to change, or if it is not a request at all, for upstream to
 * refuse.
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
