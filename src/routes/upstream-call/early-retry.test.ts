import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Cancellation } from '../../cancellation.ts'
import { ApiError } from '../../errors.ts'
import { newRequestRecord } from '../../telemetry/request-record.ts'
import type { UpstreamAnswer } from '../../upstream/answer.ts'
import { withEarlyRetries } from './early-retry.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const ANSWER = { status: 200, headers: {} } as UpstreamAnswer

function failure(code: string | null, headers: Readonly<Record<string, string>> = {}, status = 503): ApiError {
  return new ApiError('Not now.', { status, type: 'server_error', code, headers })
}

const OVERLOADED = failure('server_is_overloaded')

/** Asks an upstream that fails so, one failure after the other, and then answers; `wait` is the chance's part of each wait. */
function attempts(
  failures: readonly Error[],
  {
    isVisible = false,
    wait = 0.5,
    onRead = () => {},
    hasFallback = false,
    answer = ANSWER,
    clientRetries = false,
  } = {},
) {
  const request = { record: newRequestRecord('id', 'POST', '/v1/responses', 0) }
  const cancellation = new Cancellation()
  const left = [...failures]
  const askedAt: number[] = []
  const refusals: unknown[] = []
  const start = Date.now()
  const outcome = withEarlyRetries({ random: () => wait }, request, {
    call: {
      async open(_cancellation, refusal) {
        if (refusal !== undefined && !hasFallback) throw refusal
        refusals.push(refusal)
        askedAt.push(Date.now() - start)
        return answer
      },
    },
    cancellation,
    async read(given) {
      expect(given).toBe(answer)
      onRead()
      const thrown = left.shift()
      if (thrown !== undefined) throw thrown
      return 'read'
    },
    isVisible: () => isVisible,
    clientRetries,
  }).catch((error: unknown) => error)
  return { outcome, askedAt, refusals, cancellation, ...request }
}

const REFUSAL = failure('invalid_encrypted_content')

test.each([
  [0, [0, 125, 375]],
  [0.5, [0, 250, 750]],
  [1, [0, 375, 1125]],
])('case 162: each wait is about twice the one before, by chance (%d)', async (wait, times) => {
  const { outcome, askedAt, record } = attempts([OVERLOADED, OVERLOADED], { wait })
  await vi.runAllTimersAsync()
  expect(await outcome).toBe('read')
  expect(askedAt).toEqual(times)
  expect(record.upstreamRetries).toBe(2)
})

test.each([
  'server_is_overloaded',
  'overloaded_error',
  'slow_down',
  'rate_limit_exceeded',
  'upstream_stream_cut',
  'server_error',
  'upstream_error',
])('case 162: what ends with %s before a client can see any of it is asked for again', async (code) => {
  const { outcome, askedAt } = attempts([failure(code)])
  await vi.runAllTimersAsync()
  expect(await outcome).toBe('read')
  expect(askedAt).toEqual([0, 250])
})

test('case 162: a limit is waited for also if the client retries a 5xx itself', async () => {
  const { outcome, askedAt } = attempts([failure('rate_limit_exceeded', {}, 429)], { clientRetries: true })
  await vi.runAllTimersAsync()
  expect(await outcome).toBe('read')
  expect(askedAt).toHaveLength(2)
})

test('case 162: after a few tries the failure is told', async () => {
  const last = failure('slow_down')
  const { outcome, askedAt } = attempts([OVERLOADED, OVERLOADED, last])
  await vi.runAllTimersAsync()
  expect(await outcome).toBe(last)
  expect(askedAt).toHaveLength(3)
})

test.each([
  ['5', [0, 5000]],
  ['0.1', [0, 250]],
  ['Sun, 06 Nov 1994 08:49:37 GMT', [0, 250]],
  ['5.001', [0]],
])(
  'case 162: upstream is left alone as long as it wants, unless that is long (retry-after: %s)',
  async (after, times) => {
    const { outcome, askedAt, record } = attempts([failure('rate_limit_exceeded', { 'retry-after': after })])
    await vi.runAllTimersAsync()
    await outcome
    expect(askedAt).toEqual(times)
    expect(record.upstreamRetries).toBe(times.length - 1)
  },
)

test.each([
  ['another failure', failure('usage_limit_reached'), {}],
  ['a failure without a code', failure(null), {}],
  ['a fault of our own', new TypeError('x is not a function'), {}],
  ['a failure after something that a client can see', OVERLOADED, { isVisible: true }],
  ['what the client repeats itself', OVERLOADED, { clientRetries: true }],
])('case 177: %s is told at once', async (_what, thrown, differences) => {
  const { outcome, askedAt, record } = attempts([thrown], differences)
  expect(await outcome).toBe(thrown)
  expect(askedAt).toEqual([0])
  expect(record.upstreamRetries).toBe(0)
})

test('case 110: a refusal within a 200 brings the fallback, which is tried again like any other', async () => {
  const { outcome, refusals, askedAt } = attempts([REFUSAL, OVERLOADED], { hasFallback: true })
  await vi.runAllTimersAsync()
  expect(await outcome).toBe('read')
  expect(refusals).toEqual([undefined, REFUSAL, REFUSAL])
  expect(askedAt).toEqual([0, 0, 250])
})

test.each([
  ['a second refusal', [REFUSAL, REFUSAL], {}, 2],
  ['a refusal after something that a client can see', [REFUSAL], { isVisible: true }, 1],
  ['a fault of our own', [new TypeError('x is not a function')], {}, 1],
])('case 110: %s brings no fallback', async (_what, failures, differences, asked) => {
  const { outcome, refusals } = attempts(failures, { ...differences, hasFallback: true })
  expect(await outcome).toBe(failures.at(-1))
  expect(refusals).toHaveLength(asked)
})

const PAGE = { ...ANSWER, headers: { 'content-type': 'text/html' } }
const CUT = failure('upstream_stream_cut')

test('a page with a 200 is told as one, and asked for once', async () => {
  const { outcome, askedAt } = attempts([CUT], { answer: PAGE })
  await vi.runAllTimersAsync()
  expect(await outcome).toMatchObject({ code: 'upstream_blocked' })
  expect(askedAt).toEqual([0])
})

test.each([
  ['it says why it fails', [OVERLOADED, OVERLOADED, OVERLOADED], {}],
  ['a client can see something of it', [CUT], { isVisible: true }],
])('case 122: a stream that is called a page is none when %s', async (_what, failures, differences) => {
  const { outcome, askedAt } = attempts(failures, { ...differences, answer: PAGE })
  await vi.runAllTimersAsync()
  expect(await outcome).toBe(failures.at(-1))
  expect(askedAt).toHaveLength(failures.length)
})

test('a stream that is not called a page is asked for again, whatever the CDN says beside it', async () => {
  const answer = { ...ANSWER, headers: { 'cf-mitigated': 'challenge' } }
  const { outcome, askedAt } = attempts([CUT], { answer })
  await vi.runAllTimersAsync()
  expect([await outcome, askedAt.length]).toEqual(['read', 2])
})

test('case 175: nothing is asked again for a client that left, before the failure or in the wait after it', async () => {
  const left = new Error('The client left.')
  const before = attempts([OVERLOADED], { onRead: () => before.cancellation.cancel(left) })
  expect(await before.outcome).toBe(OVERLOADED)
  expect(before.record.upstreamRetries).toBe(0)

  const waiting = attempts([OVERLOADED])
  await vi.advanceTimersByTimeAsync(100)
  waiting.cancellation.cancel(left)
  expect(await waiting.outcome).toBe(left)
  await vi.runAllTimersAsync()
  expect([...before.askedAt, ...waiting.askedAt]).toEqual([0, 0])
})
