import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
export const collectGarbage: () => void = runInNewContext('gc')

/** Which of these something still holds. */
export async function stillHeld<Value extends object>(references: readonly WeakRef<Value>[]): Promise<Value[]> {
  // A weak reference holds what it gave until the end of the turn.
  await nextTurn()
  collectGarbage()
  return references.flatMap((reference) => reference.deref() ?? [])
}
