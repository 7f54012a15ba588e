let waiting: (() => void)[] = []

/**
 * Does this once the event loop has seen all that came in its turn, together with what others have to do then. Under load
 * a turn brings dozens of reads: the same work for all of them, one after the other, finds its code in the processor's
 * caches, and what it writes wakes the other side once (docs/performance.md). What comes alone does not wait for it.
 */
export function atEndOfTurn(work: () => void): void {
  if (waiting.push(work) === 1) setImmediate(doAll)
}

function doAll(): void {
  const works = waiting
  waiting = []
  for (const work of works) work()
}
