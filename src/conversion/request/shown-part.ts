import { asString, type JsonObject } from '../../json-object.ts'
import { mediaType } from './data-url.ts'

const SHOWN_TYPES = new Set(['image/jpeg', 'image/jpg', 'image/png', 'image/gif', 'image/webp'])
export const UNSHOWN_IMAGE: JsonObject = {
  type: 'input_text',
  text: '[An image that the model cannot be shown: it is empty, or not in one of the formats JPEG, PNG, GIF and WebP.]',
}

/**
 * A part of a tool result, in Responses form, or a text in the place of an image that upstream can't read, such as an
 * SVG. Upstream would refuse it, and clients send a tool result again with each later turn: the conversation would be over.
 */
export function shownPart(part: JsonObject): JsonObject {
  const url = part.type === 'input_image' ? asString(part.image_url) : undefined
  if (url === undefined || !/^data:/i.test(url)) return part
  return SHOWN_TYPES.has(mediaType(url) ?? '') && !url.endsWith(',') ? part : UNSHOWN_IMAGE
}
