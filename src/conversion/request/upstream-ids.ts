import { hash } from 'node:crypto'
import { type JsonObject, without } from '../../json-object.ts'

/** What upstream takes as an id. Some that it has given itself are longer (docs/upstream.md 4.5). */
const TAKEN = /^[\w-]{1,64}$/

/**
 * The item, without an id that upstream would refuse: clients send it again with each turn to come, so the conversation
 * would be over. Nothing is stored, so none is needed (case 203).
 */
export function withTakenId(item: JsonObject): JsonObject {
  const { id, type } = item
  if (typeof id !== 'string' || (TAKEN.test(id) && (type !== 'reasoning' || id.startsWith('rs')))) return item
  return without(item, ['id'])
}

/** Upstream's limit for ids. */
const LONGEST_CALL_ID = 64

/** Ids of other providers may be longer than upstream takes: the same long id always becomes the same short one. */
export function upstreamCallId(callId: string): string {
  if (callId.length <= LONGEST_CALL_ID) return callId
  return `call_${hash('sha256', callId, 'hex').slice(0, 40)}`
}
