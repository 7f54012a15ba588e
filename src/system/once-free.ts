import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 2000
const POLL_MS = 20

/**
 * What `work` brings, as soon as nobody keeps it from a file. On Windows a program may have a file for itself alone, a
 * virus scanner one that has just been written for example, and an open file can't be replaced. Both take moments.
 */
export async function onceFree<Result>(
  isHeld: (error: unknown) => boolean,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  const deadline = performance.now() + PATIENCE_MS
  while (true) {
    try {
      return await work()
    } catch (error) {
      if (!isHeld(error) || performance.now() > deadline) throw error
    }
    await delay(POLL_MS)
  }
}
