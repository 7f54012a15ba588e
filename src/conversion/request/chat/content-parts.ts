import { ProxyError } from '../../../errors.ts'
import { shorten } from '../../../foreign-text.ts'
import { asList, asString, isObject, type JsonObject } from '../../../json-object.ts'
import { hasTooManyValues } from '../../../json-text.ts'
import { mediaType, repairDataUrl } from '../data-url.ts'
import { JsonPlace } from '../json-place.ts'
import { shownPart, UNSHOWN_IMAGE } from '../shown-part.ts'

/** Reasoning that a client echoes in its history: never sent back as visible text (case 38). */
const ECHOED_REASONING = new Set(['reasoning', 'thinking', 'redacted_thinking'])

/** Content of a user, system or developer message; empty text is left out. */
export function inputParts(content: JsonPlace): JsonObject[] {
  return nonEmptyParts(content, 'input_text', inputPart)
}

/** Content of an assistant message; empty text is left out. */
export function outputParts(content: JsonPlace): JsonObject[] {
  return nonEmptyParts(content, 'output_text', outputPart)
}

/** A tool result: a string stays a string and parts stay parts, since an image as text would be a million tokens. */
export function toolOutput(content: JsonPlace): string | JsonObject[] {
  if (content.absent) return ''
  if (typeof content.value === 'string') return imagesInText(content.value) ?? content.value
  const parts = partsOf(content, 'input_text', toolPart)
  return parts.length === 0 ? '' : parts
}

/** The texts of a message's parts, separated by a blank line. */
export function joinedText(parts: readonly JsonObject[]): string {
  return parts.map((part) => asString(part.text) ?? '').join('\n\n')
}

type TextType = 'input_text' | 'output_text'
/** Undefined for what is left out. */
type ConvertPart = (part: JsonPlace) => JsonObject | undefined

function nonEmptyParts(content: JsonPlace, textType: TextType, convert: ConvertPart): JsonObject[] {
  if (typeof content.value !== 'string') return partsOf(content, textType, convert).filter(({ text }) => text !== '')
  return content.value === '' ? [] : [{ type: textType, text: content.value }]
}

/** The parts of content that is not a string. */
function partsOf(content: JsonPlace, textType: TextType, convert: ConvertPart): JsonObject[] {
  return content.items('one of a string or array of objects').flatMap<JsonObject>((part) => {
    // Some clients send plain strings among the parts.
    if (typeof part.value === 'string') return { type: textType, text: part.value }
    if (!isObject(part.value)) throw part.wrongType('an object')
    return convert(part) ?? []
  })
}

function inputPart(part: JsonPlace): JsonObject {
  const known = richPart(part)
  if (known === undefined) throw part.at('type').notOneOf(['text', 'image_url', 'file'])
  return known
}

/** Text, images and files, which are converted the same way in every message. */
function richPart(part: JsonPlace): JsonObject | undefined {
  switch (part.at('type').string()) {
    case 'text':
    case 'input_text':
      return { type: 'input_text', text: part.at('text').string() }
    case 'image_url':
    case 'input_image':
      return imagePart(part)
    case 'file':
      return filePart(part.at('file'))
    case 'input_file':
      return filePart(part)
    case 'input_audio':
      throw audioRefusal(part)
    default:
      return undefined
  }
}

function audioRefusal(part: JsonPlace): ProxyError {
  const message = "Unsupported value: content parts of type 'input_audio' are not supported with a ChatGPT login."
  return part.at('type').fault('unsupported_value', message)
}

function outputPart(part: JsonPlace): JsonObject | undefined {
  const type = part.at('type').string()
  if (type === 'refusal') return { type: 'refusal', refusal: part.at('refusal').string() }
  if (ECHOED_REASONING.has(type)) return undefined
  const text = part.at('text')
  if (type === 'text' || type === 'output_text' || typeof text.value === 'string') {
    return { type: 'output_text', text: text.string() }
  }
  throw part.at('type').notOneOf(['text', 'refusal'])
}

/** Tools return anything: a part that is not text, image or file becomes the text of its JSON. */
function toolPart(part: JsonPlace): JsonObject {
  if (part.at('type').value === 'output_text') return { type: 'input_text', text: part.at('text').string() }
  return shownPart(knownToolPart(part) ?? { type: 'input_text', text: JSON.stringify(part.value) })
}

function knownToolPart(part: JsonPlace): JsonObject | undefined {
  if (part.at('type').absent) return undefined
  return isAiSdkFile(part) ? aiSdkImage(part) : (richPart(part) ?? foreignImage(part))
}

/** `image_url` is an object or, as many write it and Responses has it, the URL itself (case 43). */
function imagePart(part: JsonPlace): JsonObject {
  const image = part.at('image_url')
  const isText = typeof image.value === 'string'
  if (!isText) image.object()
  const url = isText ? image : image.at('url')
  const detail = (isText ? part : image).at('detail').optionalString()
  // JSON leaves out what is undefined.
  return { type: 'input_image', image_url: imageUrl(url), detail }
}

function imageUrl(place: JsonPlace): string {
  const url = place.string()
  if (/^https?:\/\//i.test(url)) return url
  if (!/^data:/i.test(url)) {
    const message = `Invalid '${place.path}'. Expected a valid URL, but got a value with an invalid format.`
    throw place.fault('invalid_value', message)
  }
  const type = mediaType(url)
  if (type?.startsWith('image/') === true) return repairDataUrl(url)
  const expected = "Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,…')"
  const message = `Invalid '${place.path}'. ${expected}, but got ${type === undefined ? 'none' : `'${shorten(type)}'`}.`
  throw place.fault('invalid_value', message)
}

function filePart(file: JsonPlace): JsonObject {
  file.object()
  const data = file.at('file_data').optionalString()
  const id = file.at('file_id').optionalString()
  const url = file.at('file_url').optionalString()
  const name = file.at('filename').optionalString()
  if ([data, id, url].every((content) => content === undefined || content === '')) throw file.at('file_data').missing()
  return { type: 'input_file', filename: name, file_data: data && repairDataUrl(data), file_id: id, file_url: url }
}

/** The image of an MCP result (`data`, `mimeType`) or of a Messages API one (`source`). */
function foreignImage(part: JsonPlace): JsonObject | undefined {
  if (part.at('type').value !== 'image') return undefined
  const source = part.at('source')
  const data = asString(part.at('data').value) ?? asString(source.at('data').value)
  const type = asString(part.at('mimeType').value) ?? asString(source.at('media_type').value)
  return imageBy(source.at('url'), type, data)
}

/** An image by its URL or else its base64; undefined if it has neither. */
function imageBy(url: JsonPlace, type: string | undefined, base64: string | undefined): JsonObject | undefined {
  if (typeof url.value === 'string') return { type: 'input_image', image_url: imageUrl(url) }
  if (base64 === undefined || type === undefined) return undefined
  return { type: 'input_image', image_url: repairDataUrl(`data:${type};base64,${base64}`) }
}

/** The AI SDK's names for an image or a file in a result: `file` from version 7 on, the others before. */
const AI_SDK_FILES = new Set<unknown>(['file', 'file-data', 'image-data', 'media'])

/** A `file` of Chat has no `mediaType`. */
function isAiSdkFile(part: JsonPlace): boolean {
  return AI_SDK_FILES.has(part.at('type').value) && typeof part.at('mediaType').value === 'string'
}

/** `data` is the base64, in version 7 an object with that or with a URL. */
function aiSdkImage(part: JsonPlace): JsonObject | undefined {
  const type = part.at('mediaType').string()
  if (!/^image\/[\w.+-]+$/.test(type)) return undefined
  const data = part.at('data')
  return imageBy(data.at('url'), type, asString(data.value) ?? asString(data.at('data').value))
}

const IMAGE_MENTIONED = /"(?:image_url|input_image|image)"|"mediaType":\s*"image\//

/**
 * A result whose text is JSON of parts with an image among them, as parts: as text, one screenshot costs more than a
 * million tokens (case 87). Undefined for any other text.
 */
function imagesInText(text: string): JsonObject[] | undefined {
  if (!/^\s*\[\s*\{/.test(text) || !IMAGE_MENTIONED.test(text) || hasTooManyValues(text)) return undefined
  try {
    const parts = asList(JSON.parse(text)).map((part) => toolPart(new JsonPlace(part)))
    return parts.some((part) => part.type === 'input_image' || part === UNSHOWN_IMAGE) ? parts : undefined
  } catch (error) {
    // Not JSON, or malformed parts: then it is just a text.
    if (error instanceof SyntaxError || error instanceof ProxyError) return undefined
    throw error
  }
}
