import { ProxyError } from '../../../errors.ts'
import { asObject } from '../../../json-object.ts'
import { mediaTypeOf } from '../../../media-type.ts'
import { unsupportedParameter } from '../reported-fields.ts'

const NUMBERS = new Set(['n', 'output_compression', 'partial_images', 'frame_count', 'frame_duration_ms'])
/** Clients write a list of files under any of these names, and addresses also as the JSON form of the API has them. */
const IMAGE = /^(?:image(?:\[\d*\])?|images\[\d*\]\[image_url\])$/

type Fields = Record<string, unknown>
type ImageEdit = { readonly images: readonly { readonly image_url: string }[]; readonly [field: string]: unknown }

export function isForm(contentType: string | undefined): contentType is string {
  return mediaTypeOf(contentType) === 'multipart/form-data'
}

/**
 * Converts a form of the Images API (https://platform.openai.com/docs/api-reference/images/createEdit) to the JSON that
 * the backend accepts: images as data URLs, and no mask.
 */
export async function imageEditOf(body: Buffer, contentType: string): Promise<ImageEdit> {
  const fields: Fields = {}
  const images: { image_url: string }[] = []
  for (const [name, value] of await fieldsOf(body, contentType)) {
    if (IMAGE.test(name)) images.push({ image_url: await dataUrl(value) })
    else if (typeof value !== 'string')
      throw unsupportedParameter(name, 'is not supported: the ChatGPT backend takes no file here')
    else put(fields, pathOf(name), read(name, value))
  }
  return { ...fields, images }
}

async function fieldsOf(body: Buffer, contentType: string): Promise<Iterable<[string, string | File]>> {
  try {
    return await new Response(body, { headers: { 'content-type': contentType } }).formData()
  } catch (error) {
    throw new ProxyError('invalid_body', 'The body is not a valid form.', { cause: error })
  }
}

/** Forms name nested fields by their path: `svg[reasoning][effort]`. The API has none that are deeper. */
const NESTED = /^([^[\]]+)((?:\[[^[\]]+\]){1,3})$/

function pathOf(name: string): string[] {
  const [, first, nested = ''] = NESTED.exec(name) ?? []
  return first === undefined ? [name] : [first, ...(nested.match(/[^[\]]+/g) ?? [])]
}

function put(fields: Fields, [name = '', ...path]: readonly string[], value: unknown): void {
  if (path.length === 0) {
    fields[name] = value
    return
  }
  const within: Fields = (Object.hasOwn(fields, name) && asObject(fields[name])) || {}
  put(within, path, value)
  fields[name] = within
}

/** A form contains only texts. What does not fit stays unchanged, for upstream to refuse. */
function read(name: string, text: string): unknown {
  if (NUMBERS.has(name) && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
  if (name === 'stream' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

async function dataUrl(value: string | File): Promise<string> {
  if (typeof value === 'string') return value
  const bytes = Buffer.from(await value.arrayBuffer())
  return `data:${imageType(value.type, bytes)};base64,${bytes.toString('base64')}`
}

/** Clients may not know what a file is; its first bytes tell. */
function imageType(given: string, bytes: Buffer): string {
  if (given.startsWith('image/')) return given
  if (bytes.subarray(0, 3).equals(JPEG)) return 'image/jpeg'
  if (bytes.toString('latin1', 8, 12) === 'WEBP') return 'image/webp'
  return 'image/png'
}

const JPEG = Buffer.from([0xff, 0xd8, 0xff])
