import { asString, type JsonObject, objectOf } from '../../json-object.ts'
import { isClientCall } from './chat-tool-calls.ts'

/** An output index, and the key of the item there. */
type PlacedKey = readonly [number, string]

/** The complete items of an answer; repeating them adds nothing. */
export class CompletedItems {
  readonly #completed: PlacedKey[] = []

  has(index: number): boolean {
    return this.#completed.some(([completed]) => completed === index)
  }

  add(index: number, item: JsonObject): void {
    this.#completed.push([index, keyOf(item)])
  }

  /**
   * The items that the terminal event lists, with their output indexes; none if no more are listed than have already
   * come. A position in the list need not be the output index: streams skip indexes, and leave out items that are
   * listed at the end. So a listed item is matched with the one at its position if the keys match, else with the first
   * one with its key, else it counts as new.
   */
  placed(output: readonly unknown[], begun: () => readonly PlacedKey[]): [number, JsonObject][] {
    if (output.length <= this.#completed.length) return []
    const told = new Map([...begun(), ...this.#completed])
    const free = new Map([...told].sort(([a], [b]) => a - b))
    const items = output.map(objectOf)
    const isAt = (place: number, item: JsonObject) => told.get(place) === keyOf(item)
    for (const [place, item] of items.entries()) if (isAt(place, item)) free.delete(place)
    let next = items.length
    const fresh = () => {
      while (told.has(next)) next++
      return next++
    }
    return items.map((item, place) => {
      if (isAt(place, item)) return [place, item]
      const [index = told.has(place) ? fresh() : place] = [...free].find(([, key]) => key === keyOf(item)) ?? []
      free.delete(index)
      return [index, item]
    })
  }
}

/** What identifies an item although ids change (recorded): the `call_id` of a call, the type of any other. */
function keyOf(item: JsonObject): string {
  return asString(isClientCall(item) ? item.call_id : item.type) ?? ''
}
