import type { EventEmitter } from 'node:events'

type Stoppable = {
  /** Refuses new connections and lets running answers finish, up to a limit. */
  drain(): Promise<void>
  /** Ends everything at once. */
  close(): Promise<void>
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * SIGTERM or SIGINT drains, a second one ends at once. `source` is the process. Returns a function that takes the
 * listeners away again.
 */
export function stopOnSignals(
  source: EventEmitter,
  server: Stoppable,
  report: { draining(): void; failed(error: unknown): void },
): () => void {
  let received = 0
  const onSignal = () => {
    received++
    const work = received === 1 ? server.drain() : server.close()
    work.catch(report.failed)
    // Not before: whoever reads it may count on new connections being refused.
    if (received === 1) report.draining()
  }
  for (const signal of SIGNALS) source.on(signal, onSignal)
  return () => {
    for (const signal of SIGNALS) source.off(signal, onSignal)
  }
}
