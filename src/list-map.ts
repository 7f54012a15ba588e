/** Adds a value to the list of its key: what `Map.groupBy` makes at once, which Node has from 21 on. */
export function addToList<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
