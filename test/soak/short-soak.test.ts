import { expect, test } from 'vitest'
import { soak } from '../../bench/soak-run.ts'

// The long one: npm run soak -- --minutes 5 --streams 1000 --rps 200

test('streams, aborts and upstream resets together leave no wrong answer, no crossed one and nothing behind', async () => {
  const { load, faults } = await soak({ seconds: 10, streams: 100, requestsPerSecond: 50, progress: () => {} })

  expect(faults).toEqual([])
  // Every way to end was there, else the test would say nothing.
  for (const kind of ['chat', 'responses']) {
    for (const fate of ['answered', 'aborted', 'reset before', 'reset within']) {
      expect(load.asIntended, `${kind} ${fate}`).toHaveProperty([`${kind} ${fate}`])
    }
  }
})
