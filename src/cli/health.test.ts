import { expect, test } from 'vitest'
import { healthRows } from './health.ts'

test('a limit that was reset since it was told is not about to be', () => {
  const window = { usedPercent: 12, windowMinutes: 299, resetsAt: 10_000 }
  const limitAt = (seconds: number) => healthRows({ rateLimits: { primary: window } }, seconds * 1000).at(-1)
  expect(limitAt(10_000 - 2 * 3600)).toEqual(['Limit', '12 % used of 5 h, resets in 2 h'])
  expect(limitAt(10_000 + 2 * 3600)).toEqual(['Limit', 'reset 2 h ago; before that 12 % used of 5 h'])
})
