import { ProxyError } from '../../errors.ts'
import { asList, isObject, objectOf, parseJson, without } from '../../json-object.ts'

type ImageEvent = { readonly type: string; readonly [field: string]: unknown }

/**
 * Turns the answer of the Images API into the events that a client asked for, one per image
 * (https://platform.openai.com/docs/api-reference/images-streaming). Without any event a client would wait in vain.
 */
export function imageEvents(answer: string, type: string): ImageEvent[] {
  const whole = objectOf(parseJson(answer))
  const images = asList(whole.data).filter(isObject)
  if (images.length === 0) throw new ProxyError('upstream_invalid', 'Upstream answered without an image.')
  const common = { created_at: whole.created, ...without(whole, ['data', 'created']) }
  return images.map((image) => ({ type, ...image, ...common }))
}
