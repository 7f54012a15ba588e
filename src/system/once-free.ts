import { setTimeout as delay } from 'node:timers/promises'
import { isHeldOpen } from './error-code.ts'

/** Two seconds. Not counted by the clock: a machine that is too busy to try again holds up the other program as well. */
const TRIES = 100
const POLL_MS = 20

/**
 * The result of `work`, retried while another program holds the file. On Windows a program may hold a file exclusively,
 * for example a virus scanner one that has just been written, and an open file can't be replaced. Both last only
 * moments.
 */
export async function onceFree<Result>(work: () => Result | Promise<Result>, isHeld = isHeldOpen): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isHeld(error) || tries === TRIES) throw error
    }
    await delay(POLL_MS)
  }
}
