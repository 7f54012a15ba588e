import { readdirSync } from 'node:fs'
import type { Heap } from './heap-probe.ts'
import { type Running, usageOf } from './processes.ts'

/** What an idle proxy holds. */
export type Snapshot = Heap & {
  /** Undefined where there is no /proc. */
  readonly memoryBytes: number | undefined
  readonly descriptors: number | undefined
  /** Requests it believes to be serving. */
  readonly inFlight: number
}

export async function snapshotOf(proxy: Running): Promise<Snapshot> {
  const metrics = await fetch(`http://127.0.0.1:${proxy.port}/metrics`, { headers: { connection: 'close' } })
  const { requests_in_flight: inFlight } = (await metrics.json()) as { requests_in_flight: number }
  const heap = (await proxy.ask()) as Heap // made by our own probe
  return { ...heap, memoryBytes: usageOf(proxy.pid)?.memoryBytes, descriptors: descriptorsOf(proxy.pid), inFlight }
}

function descriptorsOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return undefined
  }
}

const MEGABYTE = 1024 * 1024
/** Beyond these a growth is a leak; below, it is how V8 and the allocator happen to stand. */
const HEAP_GROWTH = { factor: 1.1, bytes: 4 * MEGABYTE }
const MEMORY_GROWTH = { factor: 1.15, bytes: 24 * MEGABYTE }
/** Connections kept warm, and what a collection has left for the next one. */
const SPARE_HANDLES = 4

/** What grew: memory is compared with that after the warm-up, handles with those at the start. */
export function growth(start: Snapshot, warm: Snapshot, end: Snapshot): string[] {
  const found: string[] = []
  const grew = (from: number, to: number, most: { factor: number; bytes: number }) =>
    to > from * most.factor + most.bytes
  const held = ({ heapBytes, externalBytes }: Snapshot) => heapBytes + externalBytes
  if (grew(held(warm), held(end), HEAP_GROWTH)) found.push(`the heap grew from ${held(warm)} to ${held(end)} bytes`)
  const [before, after] = [warm.memoryBytes, end.memoryBytes]
  if (before !== undefined && after !== undefined && grew(before, after, MEMORY_GROWTH)) {
    found.push(`memory grew from ${before} to ${after} bytes`)
  }
  if (end.inFlight !== 0) found.push(`${end.inFlight} requests count as in flight`)
  if (!handlesAreBack(start, end)) {
    found.push(`handles are not back: ${handles(start)} at the start, ${handles(end)} at the end`)
  }
  return found
}

export function handlesAreBack(start: Snapshot, now: Snapshot): boolean {
  if ((now.descriptors ?? 0) > (start.descriptors ?? 0) + SPARE_HANDLES) return false
  return Object.entries(now.resources).every(([name, count]) => count <= (start.resources[name] ?? 0) + SPARE_HANDLES)
}

function handles({ descriptors, resources }: Snapshot): string {
  return JSON.stringify({ descriptors, ...resources })
}
