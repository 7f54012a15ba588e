import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Sizes of each of the two halves of V8's young generation, where new objects are allocated: 4 and 8 MB, of which V8
 * reports a little less. V8 doubles the halves, up to 16 or 32 MB, while objects survive collections, as those of
 * waiting streams do. That takes more memory and is also slower: it does not fit into the processor's caches, and
 * memory outside the heap is freed later. A busy proxy is faster with 8 MB than with 4 (docs/performance.md).
 */
const SMALL_BYTES = 3.5 * 1024 * 1024
const LARGE_BYTES = 7.5 * 1024 * 1024

/** The proxy is busy while the time between two collections is less than this on average, in milliseconds. */
const BUSY_MS = 50
/** A longer time between two collections counts as this, so that the average soon forgets what was before a pause. */
const IDLE_MS = 1000
/** The weight of the latest time in the average: so small that a start and its first requests do not count as busy. */
const LATEST_WEIGHT = 0.2

/** Keeps the young generation at these sizes; V8 may still shrink and regrow it. Returns a function that ends this. */
export function limitYoungGeneration(busyMs = BUSY_MS): () => void {
  let limited = false
  let last = 0
  let interval = IDLE_MS
  const observer = new PerformanceObserver((list) => {
    for (const { startTime } of list.getEntries()) {
      interval += LATEST_WEIGHT * (Math.min(startTime - last, IDLE_MS) - interval)
      last = startTime
    }
    const isLarge = halfOfYoung() >= (interval < busyMs ? LARGE_BYTES : SMALL_BYTES)
    if (isLarge === limited) return
    limited = isLarge
    // The only flag for this that V8 reads again while it runs, each time it would grow; 2 is its default.
    setFlagsFromString(`--semi-space-growth-factor=${limited ? 1 : 2}`)
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}

function halfOfYoung(): number {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
  return young === undefined ? 0 : young.space_used_size + young.space_available_size
}
