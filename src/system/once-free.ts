import { setTimeout as delay } from 'node:timers/promises'
import { isHeldOpen } from './error-code.ts'

const PATIENCE_MS = 2000
const POLL_MS = 20

/**
 * The result of `work`, retried while another program holds the file. On Windows a program may hold a file exclusively,
 * for example a virus scanner one that has just been written, and an open file can't be replaced. Both last only
 * moments.
 */
export async function onceFree<Result>(work: () => Result | Promise<Result>, isHeld = isHeldOpen): Promise<Result> {
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
