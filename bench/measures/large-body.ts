import { DEFAULT_ORDER } from '../order.ts'
import { forgetPeak, usageOf } from '../processes.ts'
import { upstreamStats } from '../upstream-stats.ts'
import { lessDirect, type Measure, onTargets } from './measure.ts'

const IMAGE_BYTES = 10 * 1000 * 1000
const SMALL_ANSWERS = 100
const WARM_ANSWERS = 2
const ANSWERS = 10

/** An image in the request: the body is many times the size of everything else. */
export const largeBody: Measure = {
  name: 'large-body',
  title: 'A request with an image of 10 MB, one after the other',
  columns: [
    { key: 'p50', title: 'p50 ms', digits: 1, against: [] },
    { key: 'added', title: 'added p50 ms', digits: 1, against: ['nginx', 'plain'] },
    { key: 'growth', title: 'peak growth ÷ body', digits: 2, against: ['plain'] },
  ],
  async run(bench) {
    const rows = await onTargets(bench, ['direct', 'nginx', 'plain', 'proxy'], async (subject) => {
      const { server, upstream, load, target } = subject
      const order = { ...DEFAULT_ORDER, deltas: 5 }
      // What a program takes once it works is no image.
      await load({ order, answers: SMALL_ANSWERS })
      forgetPeak(server.pid)
      const before = usageOf(server.pid)?.memoryBytes
      const arrivedBefore = (await upstreamStats(upstream.port)).bodyBytes
      const result = await load({ order, answers: ANSWERS, warmAnswers: WARM_ANSWERS, imageBytes: IMAGE_BYTES })
      const arrived = (await upstreamStats(upstream.port)).bodyBytes - arrivedBefore
      const peak = usageOf(server.pid)?.peakBytes
      const growth = before === undefined || peak === undefined ? undefined : (peak - before) / IMAGE_BYTES
      const whole = arrived >= ANSWERS * IMAGE_BYTES
      return {
        values: {
          p50: milliseconds(result.firstDeltaMicros?.p50),
          growth: target.name === 'direct' ? undefined : growth,
        },
        wrong: result.wrong + (whole ? 0 : 1),
        firstProblem: result.firstProblem ?? (whole ? undefined : `only ${arrived} bytes reached upstream`),
      }
    })
    return lessDirect(rows, 'p50', 'added')
  },
}

function milliseconds(micros: number | undefined): number | undefined {
  return micros === undefined ? undefined : micros / 1000
}
