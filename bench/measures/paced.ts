import { DEFAULT_ORDER } from '../order.ts'
import { type Measure, onTargets } from './measure.ts'

const STREAMS = 200

/** What users feel together: how long each token takes from upstream's write to the client's read. */
export const paced: Measure = {
  name: 'paced',
  title: `Delay of each event, ${STREAMS} streams with an event every 20 ms`,
  columns: [
    { key: 'p50', title: 'p50 µs', digits: 0, against: ['direct', 'nginx', 'plain'] },
    { key: 'p90', title: 'p90 µs', digits: 0, against: ['nginx', 'plain'] },
    { key: 'p99', title: 'p99 µs', digits: 0, against: ['nginx', 'plain'] },
  ],
  run: (bench) =>
    onTargets(bench, ['direct', 'nginx', 'plain', 'proxy'], async ({ load }) => {
      await load({ order: { ...DEFAULT_ORDER, deltas: 200 }, streams: 16, seconds: bench.seconds / 2 })
      const order = { ...DEFAULT_ORDER, deltas: 100, pause: 20, says: 'time' as const }
      const { delayMicros, wrong, firstProblem } = await load({
        order,
        streams: STREAMS,
        answers: STREAMS,
        rampMs: 200,
      })
      const { p50, p90, p99 } = delayMicros ?? {}
      return { values: { p50, p90, p99 }, wrong, firstProblem }
    }),
}
