import { collectGarbage } from '../test/support/garbage.ts'

// Loaded into the proxy by the soak, before the program: answers, over the channel to its parent, what is in use once
// the garbage is gone.

export type Heap = {
  readonly heapBytes: number
  /** Bytes of buffers outside of the heap. */
  readonly externalBytes: number
  /** What keeps the process alive: sockets, timers, … each with how often. */
  readonly resources: Readonly<Record<string, number>>
}

process.on('message', () => {
  // Twice: what a first collection finalises, a second one frees.
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const heap: Heap = { heapBytes: heapUsed, externalBytes: external, resources }
  process.send?.(heap)
})
// The channel alone must not keep a stopped proxy alive.
process.channel?.unref()
