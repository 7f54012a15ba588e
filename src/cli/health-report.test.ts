import { expect, test } from 'vitest'
import { readHealth } from './health.ts'
import { healthRows, problemOf } from './health-report.ts'

test('a limit that was reset since it was told is not about to be', () => {
  const window = { usedPercent: 12, windowMinutes: 299, resetsAt: 10_000 }
  const limitAt = (seconds: number) =>
    healthRows(readHealth({ rateLimits: { primary: window } }), seconds * 1000).at(-1)
  expect(limitAt(10_000 - 2 * 3600)).toEqual(['Limit', '12 % used of 5 h, resets in 2 h'])
  expect(limitAt(10_000 + 2 * 3600)).toEqual(['Limit', 'reset 2 h ago; before that 12 % used of 5 h'])
})

test('without an outbound proxy it is said once why', () => {
  const note = 'Nothing listens at http://127.0.0.1:8118, the default address, so connections go direct.'
  const outboundProxy = { proxy: 'http://127.0.0.1:8118', origin: 'implicit', inUse: false, note }
  expect(healthRows(readHealth({ outboundProxy }), 0)).toContainEqual(['Outbound proxy', note])
})

test.each([
  [{ mode: 'chatgpt' }, ['Login', 'ChatGPT']],
  [{ mode: 'chatgpt', credentials: { plan: 'plus' } }, ['Login', 'ChatGPT, plan plus']],
  [{ rateLimits: { primary: { usedPercent: 12, resetsAt: 7200 } } }, ['Limit', '12 % used, resets in 2 h']],
  [{ rateLimits: { secondary: { usedPercent: 12, windowMinutes: 10_079 } } }, ['Limit', '12 % used of 7 days']],
  [
    { outboundProxy: { proxy: 'http://proxy.test:3128', origin: 'flag', inUse: true, note: 'Of the system.' } },
    ['Outbound proxy', 'http://proxy.test:3128, flag (Of the system.)'],
  ],
])('what a server tells of itself is a row, and what it does not tell is left out: %j', (health, row) => {
  expect(healthRows(readHealth(health), 0)).toContainEqual(row)
})

test('without the client key there is only that requests fail', () => {
  expect(problemOf(readHealth({ status: 'error', mode: 'none' }))).toBe(
    'Requests fail now; the client key is needed to see why.',
  )
  expect(problemOf(readHealth({ status: 'ok', mode: 'none' }))).toBeUndefined()
})
