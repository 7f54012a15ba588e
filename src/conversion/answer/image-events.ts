import { ProxyError } from '../../errors.ts'
import { asList, isObject, type JsonObject, parseObject, without } from '../../json-object.ts'

export type ImageEvent = { readonly type: string; readonly [field: string]: unknown }

/**
 * The answer of the Images API as the events that a client asked for, one for each image
 * (https://platform.openai.com/docs/api-reference/images-streaming).
 */
export function imageEvents(answer: string, type: string): ImageEvent[] {
  const whole: JsonObject | undefined = parseObject(answer)
  if (whole === undefined) throw new ProxyError('upstream_invalid', 'Upstream answered with no list of images.')
  const common = { created_at: whole.created, ...without(whole, ['data', 'created']) }
  return asList(whole.data)
    .filter(isObject)
    .map((image) => ({ type, ...image, ...common }))
}
