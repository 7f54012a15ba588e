import { partsRefusal } from './part-refusals.ts'
import { type Json, type Refusal, unknownParameter, wrongType } from './refusal.ts'

const CALLS = new Set<unknown>(['function_call', 'custom_tool_call', 'function_call_output', 'custom_tool_call_output'])

const FIELDS = new Set([
  'type',
  'id',
  'call_id',
  'name',
  'namespace',
  'caller',
  'status',
  'async',
  'arguments',
  'input',
  'output',
  'internal_chat_message_metadata_passthrough',
])

/** What is wrong with a call or a result, besides what it lacks. */
export function callRefusal(item: Json, place: string): Refusal | undefined {
  if (!CALLS.has(item.type)) return undefined
  const unknown = Object.keys(item).find((key) => !FIELDS.has(key))
  if (unknown !== undefined) return unknownParameter(`${place}.${unknown}`)
  const { arguments: text = '', input = '', output = '' } = item
  if (typeof text !== 'string') return wrongType(`${place}.arguments`)
  if (typeof input !== 'string') return wrongType(`${place}.input`)
  if (typeof output === 'string') return undefined
  return partsRefusal(output, ['input_text', 'input_image', 'input_file'], `${place}.output`)
}
