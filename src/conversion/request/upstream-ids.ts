import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type JsonObject, without } from '../../json-object.ts'

/** What upstream accepts as an id. Some ids that it has given itself are longer (docs/upstream.md 4.5). */
const ACCEPTED = /^[\w-]{1,64}$/

/**
 * The item, without an id that upstream would refuse: clients send it again with each later turn, so the conversation
 * would be over. Nothing is stored, so no id is needed (case 203).
 */
export function withAcceptedId(item: JsonObject): JsonObject {
  const { id, type } = item
  if (typeof id !== 'string' || (ACCEPTED.test(id) && (type !== 'reasoning' || id.startsWith('rs')))) return item
  return without(item, ['id'])
}

/**
 * Keeps each id only once: some clients repeat an item for each of its results, and upstream would refuse that with
 * every later turn (docs/upstream.md 4.5). A different item with the same id only loses the id.
 */
export function withIdsOnce(items: readonly JsonObject[]): JsonObject[] {
  const first = new Map<string, JsonObject>()
  return items.flatMap((item) => {
    const { id } = item
    if (typeof id !== 'string') return [item]
    const same = first.get(id)
    if (same !== undefined) return isDeepStrictEqual(same, item) ? [] : [without(item, ['id'])]
    first.set(id, item)
    return [item]
  })
}

/** Upstream's limit for ids. */
const LONGEST_CALL_ID = 64

/**
 * Ids of other providers may be longer than upstream accepts, or empty: the same such id always becomes the same valid
 * one (case 77, 81).
 */
export function upstreamCallId(callId: string): string {
  if (callId !== '' && callId.length <= LONGEST_CALL_ID) return callId
  return `call_${hash('sha256', callId, 'hex').slice(0, 40)}`
}
