import { DEFAULT_ORDER } from '../order.ts'
import { type Measure, onTargets, type Subject } from './measure.ts'

const STREAMS = 64
/** Until the connections stand. */
const WARM_SECONDS = 0.2

/** How much of the machine is left to everything else: streams as fast as they go. */
export const throughput: Measure = {
  name: 'throughput',
  title: 'Events per second, 64 streams of 200 events as fast as they go',
  columns: [
    { key: 'eventsPerSecond', title: 'events/s', digits: 0, against: ['direct', 'nginx', 'nginx-64k', 'plain'] },
    { key: 'cpuMicros', title: 'CPU µs/event', digits: 2, against: ['nginx', 'nginx-64k', 'plain'] },
  ],
  run: (bench) =>
    onTargets(bench, ['direct', 'nginx', 'nginx-64k', 'plain', 'proxy'], (subject) =>
      streamEvents(subject, bench.seconds),
    ),
}

async function streamEvents({ load, target }: Subject, seconds: number) {
  const order = { ...DEFAULT_ORDER, deltas: 200 }
  // A proxy runs for days: what its compiler does in the first seconds is no part of an event.
  await load({ order, streams: STREAMS, seconds: seconds / 2 })
  const measured = await load({ order, streams: STREAMS, seconds, warmSeconds: WARM_SECONDS })
  const { deltasPerSecond, deltas, cpuSeconds, firstProblem, wrong } = measured
  // A direct run has no proxy between whose time could be counted.
  const spent = target.name === 'direct' || cpuSeconds === undefined ? undefined : (cpuSeconds * 1e6) / deltas
  return { values: { eventsPerSecond: deltasPerSecond, cpuMicros: spent }, wrong, firstProblem }
}
