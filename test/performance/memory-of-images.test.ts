import { afterAll, beforeAll, expect, test } from 'vitest'
import { sendImages } from '../../bench/measures/large-body.ts'
import { onTargets } from '../../bench/measures/measure.ts'
import type { Running } from '../../bench/processes.ts'
import { startUpstream } from '../../bench/targets.ts'

/** How often its size an image may add at most: what the collector is left to free piles up to five times. */
const MOST_GROWTH = 3

let upstream: Running

beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.stop())

test.skipIf(process.platform !== 'linux')('images in requests do not pile up in memory', async () => {
  const bench = { upstream, seconds: 0, progress: () => {} }
  const rows = await onTargets(bench, ['proxy'], sendImages)
  expect(rows.map(({ kind }) => kind)).toEqual(['chat', 'responses'])
  for (const { kind, wrong, values } of rows) {
    expect(wrong, kind).toBe(0)
    expect(values.growth, kind).toBeLessThan(MOST_GROWTH)
  }
})
