import { setTimeout as wait } from 'node:timers/promises'
import { DEFAULT_ORDER } from '../order.ts'
import { usageOf } from '../processes.ts'
import { median } from '../statistics.ts'
import { upstreamStats } from '../upstream-stats.ts'
import { type Measure, onTargets, type Subject } from './measure.ts'

const STREAMS = 1000
/** On a busy machine not all of them overlap. */
const ENOUGH = 0.9 * STREAMS
const LOOK_MS = 200

/** What a stream costs that waits for its model. */
export const idleMemory: Measure = {
  name: 'idle-memory',
  title: `Memory per stream, ${STREAMS} streams with an event every 3 s`,
  columns: [{ key: 'kilobytes', title: 'KB/stream', digits: 1, against: ['nginx', 'plain'] }],
  run: (bench) =>
    onTargets(bench, ['nginx', 'plain', 'proxy'], async (subject) => {
      // What is loaded at the first request is no part of a stream.
      await subject.load({ order: DEFAULT_ORDER, streams: 8, answers: 100 })
      const before = usageOf(subject.server.pid)?.memoryBytes
      const order = { ...DEFAULT_ORDER, deltas: 3, pause: 3000, says: 'time' as const }
      const loading = subject.load({ order, streams: STREAMS, answers: STREAMS, rampMs: 1500 })
      const bytes = before === undefined ? undefined : await bytesPerStream(subject, before, loading)
      const { wrong, firstProblem } = await loading
      return { values: { kilobytes: bytes === undefined ? undefined : bytes / 1024 }, wrong, firstProblem }
    }),
}

/** The median over the time in which (nearly) every stream was on its way; undefined if there was none. */
async function bytesPerStream(
  { server, upstream }: Subject,
  before: number,
  loading: Promise<unknown>,
): Promise<number | undefined> {
  const seen: number[] = []
  let ended = false
  const end = loading.finally(() => {
    ended = true
  })
  while (!ended) {
    await Promise.race([wait(LOOK_MS), end])
    const { openAnswers } = await upstreamStats(upstream.port)
    const memory = usageOf(server.pid)?.memoryBytes
    if (openAnswers >= ENOUGH && memory !== undefined) seen.push((memory - before) / openAnswers)
  }
  return seen.length === 0 ? undefined : median(seen)
}
