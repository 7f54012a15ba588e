import { asString, type JsonObject, objectOf } from '../../json-object.ts'
import { addToList } from '../../list-map.ts'
import { isClientCall } from './chat-tool-calls.ts'

/** An output index, and the key of the item there. */
type PlacedKey = readonly [number, string]

/** The complete items of an answer; repeating them adds nothing. */
export class CompletedItems {
  /** Their keys by output index. */
  #completed: Map<number, string> | undefined

  has(index: number): boolean {
    return this.#completed?.has(index) === true
  }

  add(index: number, item: JsonObject): void {
    this.#completed ??= new Map()
    this.#completed.set(index, keyOf(item))
  }

  /**
   * The items that the terminal event lists, with their output indexes; none if no more are listed than have already
   * come. A position in the list need not be the output index: streams skip indexes, and leave out items that are
   * listed at the end. So a listed item is matched with the one at its position if the keys match, else with the first
   * one with its key, else it counts as new.
   */
  placed(output: readonly unknown[], begun: () => readonly PlacedKey[]): [number, JsonObject][] {
    const completed = this.#completed ?? new Map<number, string>()
    if (output.length <= completed.size) return []
    const told = new Map([...begun(), ...completed])
    const items = output.map(objectOf)
    const isAt = (place: number, item: JsonObject) => told.get(place) === keyOf(item)
    /** By key, the indexes of items that are not listed at their position, the lowest last. */
    const free = new Map<string, number[]>()
    for (const [index, key] of [...told].sort(([a], [b]) => b - a)) {
      const listed = items[index]
      if (listed === undefined || !isAt(index, listed)) addToList(free, key, index)
    }
    let next = items.length
    const fresh = () => {
      while (told.has(next)) next++
      return next++
    }
    return items.map((item, place) => {
      if (isAt(place, item)) return [place, item]
      return [free.get(keyOf(item))?.pop() ?? (told.has(place) ? fresh() : place), item]
    })
  }
}

/** What identifies an item although ids change (recorded): the `call_id` of a call, the type of any other. */
function keyOf(item: JsonObject): string {
  return asString(isClientCall(item) ? item.call_id : item.type) ?? ''
}
