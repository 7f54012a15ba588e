import { DEFAULT_ORDER } from '../order.ts'
import { lessDirect, type Measure, onTargets } from './measure.ts'

const WARM_ANSWERS = 500
const ANSWERS = 1000

/** What one user feels: how much later the first token comes than without a proxy. */
export const firstToken: Measure = {
  name: 'first-token',
  title: 'Time to the first token, one request after the other',
  columns: [
    { key: 'p50', title: 'p50 µs', digits: 0, against: [] },
    { key: 'added', title: 'added p50 µs', digits: 0, against: ['nginx', 'plain'] },
    { key: 'p99', title: 'p99 µs', digits: 0, against: [] },
  ],
  async run(bench) {
    const rows = await onTargets(bench, ['direct', 'nginx', 'plain', 'proxy'], async ({ load }) => {
      const order = { ...DEFAULT_ORDER, deltas: 10 }
      const result = await load({ order, answers: WARM_ANSWERS + ANSWERS, warmAnswers: WARM_ANSWERS })
      const { firstDeltaMicros: times, wrong, firstProblem } = result
      return { values: { p50: times?.p50, p99: times?.p99 }, wrong, firstProblem }
    })
    return lessDirect(rows, 'p50', 'added')
  },
}
