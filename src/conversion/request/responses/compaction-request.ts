import { asObject } from '../../../json-object.ts'
import { userMessage } from './responses-input.ts'

/** The item at the end of an ordinary request that makes upstream compact the conversation (docs/upstream.md 4.1). */
const TRIGGER = { type: 'compaction_trigger' }

/** Turns a compaction request into an ordinary one. Values of a wrong type are left for the conversion to refuse. */
export function withTrigger(body: unknown): unknown {
  const fields = asObject(body)
  if (fields === undefined) return body
  const { input } = fields
  const items = typeof input === 'string' ? [userMessage(input)] : (input ?? [])
  return { ...fields, input: Array.isArray(items) ? [...items.filter((item) => !isTrigger(item)), TRIGGER] : items }
}

/** Only the last item may be one. */
function isTrigger(item: unknown): boolean {
  return asObject(item)?.type === TRIGGER.type
}
