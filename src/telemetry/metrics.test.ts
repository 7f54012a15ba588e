import { expect, test } from 'vitest'
import { Metrics } from './metrics.ts'
import { newRequestRecord, type RequestRecord } from './request-record.ts'

function finish(metrics: Metrics, ...records: Partial<RequestRecord>[]): void {
  for (const fields of records) {
    metrics.requestStarted()
    metrics.requestFinished({ ...newRequestRecord('req_1', 'POST', '/v1/responses', 0), ...fields })
  }
}

test('nothing has happened at the start', () => {
  expect(new Metrics(() => 5000).snapshot()).toEqual({
    requests_total: 0,
    requests_ok: 0,
    requests_error: 0,
    requests_aborted: 0,
    requests_in_flight: 0,
    errors_by_status: {},
    upstream_retries: 0,
    reasoning_recall_hits: 0,
    reasoning_recall_misses: 0,
    uptime_seconds: 0,
  })
})

test('each request is counted once: as fine, as an error by its status, as left by its client or as running', () => {
  const metrics = new Metrics(() => 0)
  finish(metrics, { status: 200 }, { status: 302 }, { status: 399 }, { status: 502 }, { status: 400 }, { status: 502 })
  finish(metrics, { status: 200, aborted: true })
  metrics.requestStarted()
  metrics.requestStarted()
  expect(metrics.snapshot()).toMatchObject({
    requests_total: 9,
    requests_ok: 3,
    requests_error: 3,
    requests_aborted: 1,
    requests_in_flight: 2,
    errors_by_status: { 400: 1, 502: 2 },
  })
})

test('retries add up, also of requests that came to nothing', () => {
  const metrics = new Metrics(() => 0)
  finish(metrics, { status: 200, upstreamRetries: 2 }, { status: 200 })
  finish(metrics, { status: 502, upstreamRetries: 3 }, { aborted: true, upstreamRetries: 1 })
  expect(metrics.snapshot()).toMatchObject({ upstream_retries: 6 })
})

test('reasoning that was found and that was not is told apart', () => {
  const metrics = new Metrics(() => 0)
  for (const found of [true, false, true]) metrics.reasoningRecalled(found)
  expect(metrics.snapshot()).toMatchObject({ reasoning_recall_hits: 2, reasoning_recall_misses: 1 })
})

test('the uptime is whole seconds since the start', () => {
  let now = 1_000_000
  const metrics = new Metrics(() => now)
  now += 90_600
  expect(metrics.snapshot()).toMatchObject({ uptime_seconds: 91 })
})
