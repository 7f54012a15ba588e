import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Of each of the two halves in which V8 makes new objects, in bytes; what it counts of 4 and of 8 MB is a little less. It
 * doubles them up to 16 or 32 MB while objects live through collections, as those of streams do that wait for their model.
 * That much is slower as well as larger: it goes through the processor's caches, and memory outside of the heap waits
 * longer to be freed. With 4 MB a proxy that has much to do is slower again (docs/performance.md).
 */
const SMALL_BYTES = 3.5 * 1024 * 1024
const LARGE_BYTES = 7.5 * 1024 * 1024

/** Much is being done while one collection follows another within this, in milliseconds and on average. */
const BUSY_MS = 50
/** Of the time between two collections no more counts, so that what was before a pause is soon forgotten. */
const IDLE_MS = 1000
/** The part that the latest time has in the average: a start and the few requests after it make nothing busy. */
const LATEST = 0.2

/** Holds the young generation at these sizes. It may shrink while little is done, and grow again. Returns what ends it. */
export function limitYoungGeneration(busyMs = BUSY_MS): () => void {
  let limited = false
  let last = 0
  let interval = IDLE_MS
  const observer = new PerformanceObserver((list) => {
    for (const { startTime } of list.getEntries()) {
      interval += LATEST * (Math.min(startTime - last, IDLE_MS) - interval)
      last = startTime
    }
    const isLarge = halfOfYoung() >= (interval < busyMs ? LARGE_BYTES : SMALL_BYTES)
    if (isLarge === limited) return
    limited = isLarge
    // The one setting of it that V8 looks at again, each time it would grow; 2 is its default.
    setFlagsFromString(`--semi-space-growth-factor=${limited ? 1 : 2}`)
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}

function halfOfYoung(): number {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
  return young === undefined ? 0 : young.space_used_size + young.space_available_size
}
