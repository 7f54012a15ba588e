import { DEFAULT_ORDER } from '../order.ts'
import { forgetPeak, usageOf } from '../processes.ts'
import { upstreamStats } from '../upstream-stats.ts'
import { type Found, lessDirect, type Measure, onTargets, type Subject } from './measure.ts'

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
    const rows = await onTargets(bench, ['direct', 'nginx', 'plain', 'proxy'], sendImages)
    return lessDirect(rows, 'p50', 'added')
  },
}

/** Its time to the first delta, and how often the size of an image it adds to the memory of a program that has warmed up. */
export async function sendImages({ server, upstream, load, target }: Subject): Promise<Found> {
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
}

function milliseconds(micros: number | undefined): number | undefined {
  return micros === undefined ? undefined : micros / 1000
}
