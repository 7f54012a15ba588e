import { ProxyError } from './errors.ts'

/** Work that can end early, with a reason. */
export type Cancellable = { cancel(reason: Error): void }

/**
 * Why running answers are ended when the proxy stops. Unlike with other reasons, their clients are still connected and
 * can be told.
 */
export class ProxyStopped extends ProxyError {
  constructor() {
    super('draining', 'The proxy was stopped before the answer was complete.')
  }
}

/**
 * Ends work in progress early. It does what AbortSignal does, without events: a controller, its event target and their
 * listeners were 6 % of what a request runs (docs/performance.md).
 */
export class Cancellation implements Cancellable {
  #reason: Error | undefined
  #work: Cancellable[] = []

  /** Why it was cancelled; undefined if it was not. */
  get reason(): Error | undefined {
    return this.#reason
  }

  cancel(reason: Error): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    const work = this.#work
    this.#work = []
    for (const each of work) each.cancel(reason)
  }

  /** Cancels `work` too; at once if this was already cancelled. */
  add<Work extends Cancellable>(work: Work): Work {
    if (this.#reason === undefined) this.#work.push(work)
    else work.cancel(this.#reason)
    return work
  }

  remove(work: Cancellable): void {
    const at = this.#work.indexOf(work)
    if (at !== -1) this.#work.splice(at, 1)
  }

  /** The outcome, or a rejection with the reason if cancelled first; the work behind the outcome goes on. */
  race<Value>(outcome: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const work = this.add({ cancel: reject })
      outcome.then(resolve, reject).finally(() => this.remove(work))
    })
  }

  /** Resolves after that many milliseconds; rejects with the reason if cancelled first. */
  delay(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.remove(work)
        resolve()
      }, milliseconds)
      const work = this.add({
        cancel(reason) {
          clearTimeout(timer)
          reject(reason)
        },
      })
    })
  }
}

/** A longer pause of the process counts as this much. */
const LONGEST_STEP_MS = 1000

/**
 * The result of `work`. If it takes longer than that many milliseconds, `work` is cancelled and this rejects with
 * `late`; if `outer` is cancelled first, with its reason. The time is counted in steps, since a timer that is due when the
 * machine or the process wakes (from sleep, Ctrl-Z, `docker pause`) fires before anything is read: a response that arrived
 * in time would be thrown away, that of the token endpoint for example, and the login with it.
 */
export async function withDeadline<Value>(
  milliseconds: number,
  late: Error,
  work: (deadline: Cancellation) => Promise<Value>,
  outer = new Cancellation(),
): Promise<Value> {
  const deadline = outer.add(new Cancellation())
  let timer: NodeJS.Timeout | undefined
  const count = (left: number) => {
    const step = Math.min(left, LONGEST_STEP_MS)
    timer = setTimeout(() => (left > step ? count(left - step) : deadline.cancel(late)), step)
  }
  count(milliseconds)
  try {
    return await deadline.race(work(deadline))
  } finally {
    clearTimeout(timer)
    outer.remove(deadline)
  }
}
