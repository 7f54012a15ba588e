import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 2000
const POLL_MS = 20

/**
 * The result of `work`, retried while another program holds the file. On Windows a program may hold a file exclusively,
 * for example a virus scanner one that has just been written, and an open file can't be replaced. Both last only
 * moments.
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
