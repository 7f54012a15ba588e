import type { JsonObject } from '../../json-object.ts'

/** What upstream takes as an id. Some that it has given itself are longer (docs/upstream.md 4.5). */
const TAKEN = /^[\w-]{1,64}$/

/**
 * The item, without an id that upstream would refuse: that came back with each turn, and the conversation would be over.
 * Nothing is stored, so that none is needed (case 203).
 */
export function withTakenId(item: JsonObject): JsonObject {
  const { id, ...withoutId } = item
  if (typeof id !== 'string') return item
  const isOfItsType = item.type !== 'reasoning' || id.startsWith('rs')
  return isOfItsType && TAKEN.test(id) ? item : withoutId
}
