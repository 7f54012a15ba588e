import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ApiError, errorBody } from '../../errors.ts'
import { LIMIT_HEADER, limitHeaders } from './limit-headers.ts'
import { eventError, upstreamError } from './upstream-error.ts'

const NOW = 1_777_922_696_000
const json = (body: unknown) => JSON.stringify(body)

type Told = { status?: number; headers?: Record<string, string>; body?: string }

function told({ status = 429, headers = {}, body = '' }: Told): ApiError {
  return upstreamError({ status, headers, now: NOW }, body, 'chat')
}

const limit = { type: 'usage_limit_reached', message: 'The usage limit has been reached', plan_type: 'plus' }

test.each([
  ['resets_in_seconds', { ...limit, resets_in_seconds: 13_872 }, {}],
  ['resets_at', { ...limit, resets_at: 1_777_936_568 }, {}],
  [
    'x-codex-primary-reset-after-seconds',
    limit,
    { 'x-codex-primary-used-percent': '100', 'x-codex-primary-reset-after-seconds': '13872' },
  ],
  [
    'x-codex-secondary-reset-at',
    limit,
    {
      'x-codex-primary-used-percent': '12',
      'x-codex-secondary-used-percent': '100.0',
      'x-codex-secondary-reset-at': '1777936568',
    },
  ],
])('case 161: a usage limit says when it ends, told by %s', (_source, error, headers) => {
  expect(told({ status: 429, headers, body: json({ error }) })).toMatchObject({
    status: 429,
    code: 'usage_limit_reached',
    type: 'usage_limit_reached',
    message: 'The usage limit has been reached. It resets in 3h51m12s.',
    headers: {
      'retry-after': '13872',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '3h51m12s',
      'x-should-retry': 'false',
    },
  })
})

test.each([
  'usage_limit_reached',
  'usage_not_included',
  'insufficient_quota',
  'credit_balance_exhausted',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded',
])('case 161: %s is a 429 that clients are told not to try again', (code) => {
  for (const error of [
    told({ status: 403, body: json({ error: { code, message: 'No.' } }) }),
    told({ status: 403, body: json({ error: { type: code, message: 'No.' } }) }),
  ]) {
    expect(error).toMatchObject({ status: 429, code, headers: { 'x-should-retry': 'false' } })
  }
})

test('case 161: Codex gets what it tells its user of: the type, the plan and the time', () => {
  const error = { ...limit, resets_at: 1_777_936_568, resets_in_seconds: 13_872, eligible_promo: null }
  expect(errorBody(told({ status: 429, body: json({ error }) }))).toEqual({
    error: {
      message: 'The usage limit has been reached. It resets in 3h51m12s.',
      type: 'usage_limit_reached',
      param: null,
      code: 'usage_limit_reached',
      plan_type: 'plus',
      resets_at: 1_777_936_568,
      resets_in_seconds: 13_872,
    },
  })
  const notIncluded = { type: 'usage_not_included', message: 'Not in this plan.' }
  expect(errorBody(told({ status: 429, body: json({ error: { ...notIncluded, plan_type: 'free' } }) })).error).toEqual({
    ...notIncluded,
    param: null,
    code: 'usage_not_included',
  })
})

test('case 161: of a limit only what Codex can read is passed', () => {
  const error = { ...limit, plan_type: 7, resets_at: 'soon', resets_in_seconds: null }
  expect(Object.keys(errorBody(told({ status: 429, body: json({ error }) })).error)).toEqual([
    'message',
    'type',
    'param',
    'code',
  ])
})

test('case 161: the time follows the sentence of the message', () => {
  const error = { ...limit, message: 'Limit of gpt-5.5 reached.', resets_in_seconds: 60 }
  expect(told({ status: 429, body: json({ error }) }).message).toBe('Limit of gpt-5.5 reached. It resets in 1m0s.')
})

test.each([
  ['workspace_owner_credits_depleted', 'out of credits: add some'],
  ['workspace_member_credits_depleted', 'out of credits: ask its owner'],
  ['workspace_owner_usage_limit_reached', 'workspace has reached its spend cap: raise'],
  ['workspace_member_usage_limit_reached', 'workspace has reached its spend cap: ask its owner'],
])('case 161: the message says what helps beside waiting: %s', (reached, says) => {
  const headers = { 'x-codex-rate-limit-reached-type': reached }
  const { message } = told({ headers, body: json({ error: { ...limit, resets_in_seconds: 60 } }) })
  expect(message).toMatch(/^The usage limit has been reached\. It resets in 1m0s\. The [^.]+\.$/)
  expect(message).toContain(says)
  expect(told({ headers, body: json({ error: limit }) }).message).not.toContain('resets')
})

test.each(['rate_limit_reached', 'toString', ''])('case 161: nothing else is added to the message: %j', (reached) => {
  const headers = { 'x-codex-rate-limit-reached-type': reached }
  expect(told({ headers, body: json({ error: limit }) }).message).toBe(limit.message)
})

test('case 161: of two exhausted windows the later one counts', () => {
  const headers = {
    'x-codex-primary-used-percent': '100',
    'x-codex-primary-reset-after-seconds': '60',
    'x-codex-secondary-used-percent': '100',
    'x-codex-secondary-reset-after-seconds': '7200',
  }
  expect(told({ status: 429, headers, body: json({ error: limit }) }).headers['retry-after']).toBe('7200')
})

test.each(['', '99'])('case 161: without a time there is none made up, a window is used by "%s" percent', (used) => {
  const headers = { 'x-codex-primary-used-percent': used, 'x-codex-primary-reset-after-seconds': '60' }
  expect(told({ status: 429, headers, body: json({ error: limit }) }).headers).toEqual({ 'x-should-retry': 'false' })
})

test('a limit that has just ended asks for no negative wait', () => {
  const error = { ...limit, resets_at: 1_777_000_000 }
  expect(told({ status: 429, body: json({ error }) }).headers).toMatchObject({
    'retry-after': '0',
    'x-ratelimit-reset-requests': '0s',
  })
})

test("upstream's own retry headers are passed on, nothing else", () => {
  const unknown = { 'set-cookie': 'a=b', authorization: 'x', 'x-retry-after': '1', 'retry-after-hint': '1' }
  const headers = { 'retry-after': '7', 'x-ratelimit-remaining-tokens': '0', ...unknown }
  expect(
    told({ status: 429, headers, body: json({ error: { message: 'Slow.', code: 'rate_limit_exceeded' } }) }),
  ).toMatchObject({
    status: 429,
    type: 'rate_limit_error',
    headers: { 'retry-after': '7', 'x-ratelimit-remaining-tokens': '0' },
  })
  expect(Object.keys(told({ status: 429, headers }).headers)).toEqual(['retry-after', 'x-ratelimit-remaining-tokens'])
})

test("upstream's own retry headers count more than what is made of the times it tells", () => {
  const headers = { 'retry-after': '7', 'x-ratelimit-remaining-requests': '3' }
  const error = { ...limit, resets_in_seconds: 60 }
  expect(told({ status: 429, headers, body: json({ error }) }).headers).toMatchObject({
    ...headers,
    'x-ratelimit-reset-requests': '1m0s',
  })
})

test('a header that came twice tells nothing', () => {
  const body = json({ error: { message: 'Slow.', code: 'rate_limit_exceeded' } })
  expect(
    upstreamError({ status: 429, headers: { 'retry-after': ['7', '8'] }, now: NOW }, body, 'chat').headers,
  ).toEqual({})
})

test.each([
  ['server_is_overloaded', 503],
  ['overloaded_error', 503],
  ['slow_down', 503],
  ['rate_limit_exceeded', 429],
  ['server_error', 502],
  [undefined, 502],
])('case 162: the code %s within a 200 is a %i', (code, status) => {
  const error = eventError({ type: 'response.failed', response: { error: { code, message: 'Sorry.' } } }, 'chat')
  expect(error).toMatchObject({ status, code: code ?? 'upstream_error' })
})

test('case 162: capacity told in a sentence is overload', () => {
  const body = json({ detail: 'Selected model is at capacity. Please try a different model.' })
  expect(told({ status: 500, body })).toMatchObject({
    status: 503,
    code: 'server_is_overloaded',
    type: 'server_error',
  })
})

test("a rate limit keeps upstream's type", () => {
  const error = { code: 'rate_limit_exceeded', type: 'tokens', message: 'Too many.' }
  expect(told({ status: 429, body: json({ error }) })).toMatchObject({ status: 429, type: 'tokens' })
})

test.each([
  ['1.5s', { 'retry-after': '2' }],
  ['1.898s', { 'retry-after': '2' }],
  ['2000ms', { 'retry-after': '2' }],
  ['2001MS', { 'retry-after': '3' }],
  ['35 seconds', { 'retry-after': '35' }],
  ['1 second', { 'retry-after': '1' }],
  ['2 sprints', {}],
])('the wait that a message asks for is kept: %s', (wait, headers) => {
  const error = { code: 'rate_limit_exceeded', message: `Rate limit reached. Please try again in ${wait}.` }
  expect(eventError({ type: 'response.failed', response: { error } }, 'chat')?.headers).toEqual(headers)
})

test('case 161: within a 200 a limit says when it ends as it does in an answer of its own', () => {
  const error = { code: 'usage_limit_reached', message: 'Limit.', resets_at: NOW / 1000 + 3600 }
  const failed = { type: 'response.failed', response: { error } }
  expect(eventError(failed, 'chat', { headers: {}, now: NOW })?.headers).toMatchObject({ 'retry-after': '3600' })
  const window = { 'x-codex-primary-used-percent': '100', 'x-codex-primary-reset-after-seconds': '60' }
  const silent = { type: 'response.failed', response: { error: { ...error, resets_at: undefined } } }
  expect(eventError(silent, 'chat', { headers: window, now: NOW })?.headers).toMatchObject({ 'retry-after': '60' })
  const own = { ...error, resets_at: undefined, headers: { 'Retry-After': '7' } }
  expect(eventError({ type: 'error', error: own }, 'chat')?.headers).toMatchObject({ 'retry-after': '7' })
  const { headers, ...plain } = own
  expect(eventError({ type: 'error', headers, error: plain }, 'chat')?.headers).toMatchObject({ 'retry-after': '7' })
})

test('the flat error event of the public API is read', () => {
  expect(
    eventError({ type: 'error', code: 'server_error', message: 'Sorry.', param: null }, 'responses'),
  ).toMatchObject({
    status: 502,
    code: 'server_error',
    type: 'server_error',
  })
})

test.each([
  [59, '59s'],
  [60, '1m0s'],
  [3599, '59m59s'],
  [3600, '1h0m0s'],
  [7325, '2h2m5s'],
])('%d seconds are written as the API does: %s', (resets_in_seconds, text) => {
  const error = { ...limit, resets_in_seconds }
  expect(told({ body: json({ error }) }).headers['x-ratelimit-reset-requests']).toBe(text)
})

test('case 161: an exhausted window that tells a time in one header only tells that', () => {
  const used = { 'x-codex-primary-used-percent': '100', 'x-codex-primary-reset-after-seconds': ' ' }
  const headers = { ...used, 'x-codex-primary-reset-at': String(NOW / 1000 + 60) }
  expect(told({ headers, body: json({ error: limit }) }).headers['retry-after']).toBe('60')
  expect(told({ headers: used, body: json({ error: limit }) }).headers).toEqual({ 'x-should-retry': 'false' })
})

test('without a clock a limit that tells when it ends says so to nobody', () => {
  const head = { headers: { 'x-codex-primary-used-percent': '100', 'x-codex-primary-reset-at': '1777936568' } }
  for (const error of [limit, { ...limit, resets_at: 1_777_936_568 }]) {
    const { headers } = eventError({ type: 'error', error }, 'chat', { ...head, now: undefined }) ?? {}
    expect(headers).toEqual({ 'x-should-retry': 'false' })
  }
})

test.each(['7\r\nx-injected: 1', '7\u2028', '7\u{1f600}'])(
  'what HTTP can not carry is not taken from an event: %j',
  (value) => {
    const headers = { 'retry-after': value, 'x-ratelimit-remaining-tokens': '0' }
    const event = { type: 'error', error: { code: 'rate_limit_exceeded', message: 'No.', headers } }
    expect(eventError(event, 'chat')?.headers).toEqual({ 'x-ratelimit-remaining-tokens': '0' })
  },
)

test('only what waiting mends says when, and only a usage limit in its message', () => {
  const error = { message: 'No.', code: 'x', resets_in_seconds: 60 }
  expect(told({ status: 400, headers: { 'retry-after': '7' }, body: json({ error }) }).headers).toEqual({})
  const limited = told({ body: json({ error: { ...error, code: 'rate_limit_exceeded' } }) })
  expect(limited).toMatchObject({ message: 'No.', headers: { 'retry-after': '60' } })
})

test('a limit that never ends is told as a year', () => {
  const body = json({ error: { message: 'No.', type: 'usage_limit_reached', resets_in_seconds: 1e12 } })
  expect(told({ status: 429, body }).headers['retry-after']).toBe(String(366 * 24 * 3600))
})

test('of the headers of an answer no others are read than those that are kept of it', () => {
  const windows = ['primary', 'secondary'].flatMap((window) =>
    ['used-percent', 'reset-at', 'reset-after-seconds', 'window-minutes'].map((name) => `x-codex-${window}-${name}`),
  )
  const others = [
    'retry-after',
    'retry-after-ms',
    'x-ratelimit-reset-tokens',
    'x-codex-plan-type',
    'x-codex-active-limit',
    'x-codex-rate-limit-reached-type',
    'x-request-id',
    'date',
  ]
  const headers = fc.dictionary(
    fc.constantFrom(...windows, ...others),
    fc.constantFrom('100', '7', '', 'workspace_member_credits_depleted'),
  )
  const message = (of: Record<string, string>) => told({ headers: of, body: json({ error: limit }) }).message
  fc.assert(
    fc.property(headers, (all) => {
      const kept = Object.fromEntries(Object.entries(all).filter(([name]) => LIMIT_HEADER.test(name)))
      expect(limitHeaders({}, '', kept, NOW)).toEqual(limitHeaders({}, '', all, NOW))
      expect(message(kept)).toBe(message(all))
    }),
  )
})
