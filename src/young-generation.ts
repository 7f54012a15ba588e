import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Of each of the two halves in which V8 makes new objects, in bytes; what it counts of 8 MB is a little less. It doubles
 * them up to 16 or 32 MB while objects live through collections, as those of streams do that wait for their model. That
 * much is slower as well as larger: it goes through the processor's caches, and memory outside of the heap waits longer
 * to be freed (docs/performance.md).
 */
const LARGE_BYTES = 7.5 * 1024 * 1024

/** Holds the young generation at that size. It may shrink while little is done, and grow again. Returns what ends it. */
export function limitYoungGeneration(): () => void {
  let limited = false
  const observer = new PerformanceObserver(() => {
    const isLarge = halfOfYoung() >= LARGE_BYTES
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
