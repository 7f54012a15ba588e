import { callRefusal } from './call-refusals.ts'
import { partsRefusal } from './part-refusals.ts'
import {
  apiError,
  detail,
  empty,
  isJson,
  type Json,
  missingParameter,
  type Refusal,
  tooLong,
  unknownParameter,
  wrongType,
} from './refusal.ts'

/** The first reason why the backend would not take this `input`. */
export function inputRefusal(input: unknown): Refusal | undefined {
  if (!Array.isArray(input)) return detail('Input must be a list')
  for (const [index, item] of input.entries()) {
    const place = `input[${index}]`
    if (!isJson(item)) return wrongType(place)
    const refusal = itemRefusal(item, place)
    if (refusal !== undefined) return refusal
  }
  return (
    triggerRefusal(input) ??
    duplicateRefusal(input) ??
    pairingRefusal(input) ??
    reasoningRefusal(input) ??
    imageRefusal(input)
  )
}

function itemRefusal(item: Json, place: string): Refusal | undefined {
  const callId = `${place}.call_id`
  const length = tooLong(item.id, `${place}.id`) ?? tooLong(item.call_id, callId) ?? empty(item.call_id, callId)
  if (length !== undefined) return length
  const type = item.type ?? 'message'
  const foreign = foreignId(item.id, String(type), `${place}.id`)
  if (foreign !== undefined) return foreign
  if (type === 'message') return messageRefusal(item, place)
  if (type === 'image_generation_call' || type === 'web_search_call') {
    const unknown = toldOnly(item)
    if (unknown !== undefined) return unknownParameter(`${place}.${unknown}`)
  }
  const notKept =
    type === 'item_reference' ||
    (type === 'reasoning' && typeof item.encrypted_content !== 'string') ||
    (type === 'image_generation_call' && typeof item.result !== 'string')
  if (notKept) {
    return apiError(
      `Item with id '${item.id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
      'input',
      null,
      404,
    )
  }
  if (type === 'reasoning') return reasoningFieldRefusal(item, place)
  if (isUncalled(item)) return typeof item.name === 'string' ? undefined : NAMELESS
  return requiredFieldRefusal(item, REQUIRED_FIELDS[String(type)] ?? [], place) ?? callRefusal(item, place)
}

/** What the app of Codex tells its model as if a tool had said it: nothing has called it, so it has only a name. */
function isUncalled({ type, call_id }: Json): boolean {
  return type === 'function_call_output' && (call_id === undefined || call_id === null)
}

const NAMELESS = apiError('A function call output without a call_id requires a name.', 'input', null)

const IMAGE_FIELDS = new Set([
  'type',
  'id',
  'status',
  'result',
  'revised_prompt',
  'internal_chat_message_metadata_passthrough',
])

/** What answers tell of images and searches, but nobody may send back. */
function toldOnly(item: Json): string | undefined {
  if (item.type === 'image_generation_call') return Object.keys(item).find((key) => !IMAGE_FIELDS.has(key))
  return isJson(item.action) && 'sources' in item.action ? 'action.sources' : undefined
}

/** What other providers, or the API itself, put into reasoning. */
function reasoningFieldRefusal({ status, summary, content }: Json, place: string): Refusal | undefined {
  if (status !== undefined) return unknownParameter(`${place}.status`)
  if (!Array.isArray(summary)) return missingParameter(`${place}.summary`)
  if (!Array.isArray(content) || content.length === 0) return undefined
  const expected = `Expected an array with maximum length 0, but got an array with length ${content.length} instead.`
  const param = `${place}.content`
  return apiError(`Invalid '${param}': array too long. ${expected}`, param, 'array_above_max_length')
}

/** How ids of items begin; others come from another provider, or were made up by a client. */
const ID_PREFIXES: Readonly<Record<string, string>> = {
  message: 'msg',
  reasoning: 'rs',
  function_call: 'fc',
  custom_tool_call: 'ctc',
}

function foreignId(id: unknown, type: string, param: string): Refusal | undefined {
  const prefix = ID_PREFIXES[type]
  if (prefix === undefined || typeof id !== 'string' || id.startsWith(prefix)) return undefined
  return apiError(`Invalid '${param}': '${id}'. Expected an ID that begins with '${prefix}'.`, param, 'invalid_value')
}

const REQUIRED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  function_call: ['call_id', 'name', 'arguments'],
  function_call_output: ['call_id', 'output'],
  custom_tool_call: ['call_id', 'name', 'input'],
  custom_tool_call_output: ['call_id', 'output'],
  compaction: ['encrypted_content'],
}

function requiredFieldRefusal(item: Json, fields: readonly string[], place: string): Refusal | undefined {
  const missing = fields.find((field) => item[field] === undefined || item[field] === null)
  return missing === undefined ? undefined : missingParameter(`${place}.${missing}`)
}

const MESSAGE_FIELDS = new Set([
  'type',
  'id',
  'role',
  'content',
  'status',
  'phase',
  'internal_chat_message_metadata_passthrough',
])

const OF_MODEL = ['output_text', 'refusal']
const OF_OTHERS = ['input_text', 'input_image', 'input_file']

function messageRefusal(item: Json, place: string): Refusal | undefined {
  const { role, content } = item
  if (role === 'system') return detail('System messages are not allowed')
  if (role !== 'user' && role !== 'assistant' && role !== 'developer') {
    const expected = "Supported values are: 'assistant', 'system', 'developer', and 'user'."
    return apiError(`Invalid value: '${role}'. ${expected}`, `${place}.role`, 'invalid_value')
  }
  const unknown = Object.keys(item).find((key) => !MESSAGE_FIELDS.has(key))
  if (unknown !== undefined) return unknownParameter(`${place}.${unknown}`)
  if (content === undefined || content === null) return requiredFieldRefusal(item, ['content'], place)
  if (typeof content === 'string') return undefined
  return partsRefusal(content, role === 'assistant' ? OF_MODEL : OF_OTHERS, `${place}.content`)
}

/** Only what stands before it can be compacted. */
function triggerRefusal(items: readonly Json[]): Refusal | undefined {
  const index = items.findIndex(({ type }) => type === 'compaction_trigger')
  if (index === -1 || index === items.length - 1) return undefined
  return apiError("The 'compaction_trigger' item must be the final input item.", `input[${index}]`, null)
}

function duplicateRefusal(items: readonly Json[]): Refusal | undefined {
  const ids = items.map(({ id }) => id).filter((id) => id !== undefined)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice === undefined) return undefined
  const message = `Duplicate item found with id ${twice}. Remove duplicate items from your input and try again.`
  return apiError(message, 'input', null)
}

const KINDS = [
  { call: 'function_call', output: 'function_call_output', name: 'function call' },
  { call: 'custom_tool_call', output: 'custom_tool_call_output', name: 'custom tool call' },
]

/** Every call needs its result and every result its call; the backend pairs them by id, wherever they stand. */
function pairingRefusal(items: readonly Json[]): Refusal | undefined {
  for (const { call, output, name } of KINDS) {
    const calls = items.filter(({ type }) => type === call).map((item) => item.call_id)
    const results = items.filter((item) => item.type === output && !isUncalled(item)).map((item) => item.call_id)
    const open = calls.find((id) => !results.includes(id))
    if (open !== undefined) return apiError(`No tool output found for ${name} ${open}.`, 'input', null)
    const stray = results.find((id) => !calls.includes(id))
    if (stray !== undefined) {
      return apiError(`No tool call found for ${name} output with call_id ${stray}.`, 'input', null)
    }
  }
  return undefined
}

/** What a model has thought belongs to what it then said or called. */
function reasoningRefusal(items: readonly Json[]): Refusal | undefined {
  const alone = items.find(({ type }, index) => type === 'reasoning' && !isOfModel(items[index + 1]))
  if (alone === undefined) return undefined
  const message = `Item '${alone.id}' of type 'reasoning' was provided without its required following item.`
  return apiError(message, 'input', null)
}

/** Upstream looks into the data; here its declared type has to do. */
function imageRefusal(items: readonly Json[]): Refusal | undefined {
  const parts = items.flatMap(({ content, output }) => [content, output].flat().filter(isJson))
  const images = parts.filter(({ type }) => type === 'input_image').map(({ image_url }) => String(image_url))
  if (!images.some((url) => /^data:/.test(url) && !/^data:image\/(jpe?g|png|gif|webp);base64,./.test(url)))
    return undefined
  return apiError(
    "The image data you provided does not represent a valid image. Please check your input and try again with one of the supported image formats: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'].",
    'input',
    'invalid_value',
  )
}

function isOfModel(item: Json | undefined): boolean {
  if (item === undefined) return false
  const type = String(item.type ?? 'message')
  return type === 'message' ? item.role === 'assistant' : !type.endsWith('_output')
}
