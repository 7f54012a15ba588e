import { asObject, asString, type JsonObject } from '../json-object.ts'
import { isClientCall } from './chat-tool-calls.ts'

/** An output index, and the key of the item there. */
type Told = readonly [number, string]

/** The items of an answer that were told whole: a later telling of them is old news. */
export class ToldItems {
  readonly #whole: Told[] = []

  get count(): number {
    return this.#whole.length
  }

  has(index: number): boolean {
    return this.#whole.some(([whole]) => whole === index)
  }

  add(index: number, item: JsonObject): void {
    if (!this.has(index)) this.#whole.push([index, keyOf(item)])
  }

  /**
   * The items that the terminal event lists, with their output indexes; none if there are no more than have been told.
   * Places in the list need not be output indexes: streams skip some, and leave out items that are listed in the end. So
   * an item is the one that was told at its place, else the first with its key, else one that was not told yet.
   */
  placed(output: readonly unknown[], begun: () => readonly Told[]): [number, JsonObject][] {
    if (output.length <= this.count) return []
    const told = new Map([...begun(), ...this.#whole])
    const free = new Map([...told].sort(([a], [b]) => a - b))
    const items = output.map((item) => asObject(item) ?? {})
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

/** What an item is told by where ids change (recorded): a call by its `call_id`, others by their type. */
function keyOf(item: JsonObject): string {
  return asString(isClientCall(item) ? item.call_id : item.type) ?? ''
}
