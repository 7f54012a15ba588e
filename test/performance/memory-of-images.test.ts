import { afterAll, beforeAll, expect, test } from 'vitest'
import { onTarget } from '../../bench/measures/measure.ts'
import { DEFAULT_ORDER } from '../../bench/order.ts'
import { forgetPeak, type Running, usageOf } from '../../bench/processes.ts'
import type { Kind } from '../../bench/requests.ts'
import { startUpstream, TARGETS } from '../../bench/targets.ts'

const IMAGE_BYTES = 10_000_000
/** How often its size an image may add at most: what the collector is left to free piles up to five times. */
const MOST_GROWTH = 3

let upstream: Running

beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.stop())

test.skipIf(process.platform !== 'linux').each<Kind>(['chat', 'responses'])(
  'images in %s requests do not pile up in memory',
  async (kind) => {
    const proxy = TARGETS.find(({ name }) => name === 'proxy')
    if (proxy === undefined) throw new Error('There is no target of the proxy.')
    const bench = { upstream, seconds: 0, progress: () => {} }
    const { values, wrong } = await onTarget(bench, proxy, kind, async ({ server, load }) => {
      const order = { ...DEFAULT_ORDER, deltas: 5 }
      await load({ order, answers: 20 })
      forgetPeak(server.pid)
      const before = usageOf(server.pid)?.memoryBytes ?? Number.NaN
      const { wrong } = await load({ order, answers: 10, imageBytes: IMAGE_BYTES })
      const peak = usageOf(server.pid)?.peakBytes ?? Number.NaN
      return { values: { growth: (peak - before) / IMAGE_BYTES }, wrong }
    })
    expect(wrong).toBe(0)
    expect(values.growth).toBeLessThan(MOST_GROWTH)
  },
)
