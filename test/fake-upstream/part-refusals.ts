import { apiError, isJson, type Refusal, unknownParameter, wrongType } from './refusal.ts'

const PART_FIELDS: Readonly<Record<string, readonly string[]>> = {
  input_text: ['text'],
  input_image: ['image_url', 'file_id', 'detail'],
  input_file: ['file_data', 'file_id', 'file_url', 'filename', 'detail'],
  output_text: ['text', 'annotations', 'logprobs'],
  refusal: ['refusal'],
}

/** The first reason why the backend would not take this list of parts. */
export function partsRefusal(parts: unknown, allowed: readonly string[], place: string): Refusal | undefined {
  if (!Array.isArray(parts)) return wrongType(place)
  const refusals = parts.map((part: unknown, index) => partRefusal(part, allowed, `${place}[${index}]`))
  return refusals.find((refusal) => refusal !== undefined)
}

function partRefusal(part: unknown, allowed: readonly string[], place: string): Refusal | undefined {
  const type = isJson(part) ? String(part.type) : ''
  if (!isJson(part) || !allowed.includes(type)) {
    const supported = allowed.map((each) => `'${each}'`).join(', ')
    const message = `Invalid value: '${type}'. Supported values are: ${supported}.`
    return apiError(message, `${place}.type`, 'invalid_value')
  }
  const unknown = Object.keys(part).find((key) => key !== 'type' && !PART_FIELDS[type]?.includes(key))
  return unknown === undefined ? undefined : unknownParameter(`${place}.${unknown}`)
}
