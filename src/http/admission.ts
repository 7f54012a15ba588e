import type { Cancellation } from '../cancellation.ts'
import type { Config } from '../config/options.ts'
import { ProxyError } from '../errors.ts'

/** Called once, when the request is over: gives the place to whoever waited longest. */
export type Release = () => void

export type Admission = {
  /**
   * A place: at once, or when one gets free, in order of arrival. Throws `too_many_requests` when the queue is full;
   * rejects with the reason when it is cancelled first, which gives up the place in the queue.
   */
  enter(cancellation: Cancellation): Release | Promise<Release>
  readonly running: number
  readonly waiting: number
}

type Limits = Pick<Config, 'maxConcurrent' | 'maxQueue'>

/** How many requests are served at the same time. */
export function createAdmission({ maxConcurrent, maxQueue }: Limits): Admission {
  const queue = new Set<() => void>()
  let running = 0

  function release(): void {
    const [next] = queue
    if (next === undefined) {
      running--
      return
    }
    queue.delete(next)
    next()
  }

  return {
    get running() {
      return running
    },
    get waiting() {
      return queue.size
    },
    enter(cancellation) {
      if (running < maxConcurrent) {
        running++
        return release
      }
      if (queue.size >= maxQueue) throw tooMany(maxConcurrent)
      return new Promise((resolve, reject) => {
        const take = () => resolve(release)
        queue.add(take)
        cancellation.add({
          cancel(reason) {
            queue.delete(take)
            reject(reason)
          },
        })
      })
    },
  }
}

function tooMany(places: number): ProxyError {
  const message = `The proxy is already serving ${places} requests, and its queue is full.`
  return new ProxyError('too_many_requests', message, { headers: { 'retry-after': '1' } })
}
