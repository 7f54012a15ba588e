import { ProxyError } from './errors.ts'

/** Work that can end early, with a reason. */
export type Cancellable = { cancel(reason: Error): void }

/**
 * Why running answers are ended when the proxy stops. Unlike after other reasons, their clients are still there to be
 * told.
 */
export class ProxyStopped extends ProxyError {
  constructor() {
    super('draining', 'The proxy was stopped before the answer was complete.')
  }
}

/**
 * Ends work that is under way before its time. It does what AbortSignal does, without events: a controller, its event
 * target and their listeners were 6 % of what a request runs (docs/performance.md).
 */
export class Cancellation implements Cancellable {
  #reason: Error | undefined
  #work: Cancellable[] = []

  /** Why it was cancelled; undefined as long as it was not. */
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

  /** Cancels `work` too, at once if it is too late for it already. */
  add<Work extends Cancellable>(work: Work): Work {
    if (this.#reason === undefined) this.#work.push(work)
    else work.cancel(this.#reason)
    return work
  }

  remove(work: Cancellable): void {
    const at = this.#work.indexOf(work)
    if (at !== -1) this.#work.splice(at, 1)
  }

  /** The outcome, or the reason if cancelled before; what leads to the outcome goes on. */
  race<Value>(outcome: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const work = this.add({ cancel: reject })
      outcome.then(resolve, reject).finally(() => this.remove(work))
    })
  }

  /** Resolves after so many milliseconds; rejects with the reason if cancelled before. */
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

/** The most that counts of a time in which the process stands still. */
const LONGEST_STEP_MS = 1000

/**
 * What `work` resolves with; cancelled, and rejected with `late`, when that takes longer than so many milliseconds, or
 * as soon as `outer` is cancelled, with its reason. They are counted in steps, since timers that are due when the machine
 * or the process wakes (a sleep, Ctrl-Z, `docker pause`) go off before anything is read: what came in time would be
 * thrown away, an answer of the token endpoint for example, and the login with it.
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
