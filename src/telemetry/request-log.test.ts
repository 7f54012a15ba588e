import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'
import { createRequestLog, isoClock } from './request-log.ts'
import { newRequestRecord, type RequestRecord } from './request-record.ts'

function linesOf(level: Parameters<typeof createLogger>[0], fields: Partial<RequestRecord>): string[] {
  const lines: string[] = []
  const log = createRequestLog(createLogger(level, { write() {} }), { write: (line) => lines.push(line) })
  log({ ...newRequestRecord('req_1', 'POST', '/v1/responses', 100), ...fields }, 350.26)
  return lines
}

test('a request is one line, with what is known of it', () => {
  const usage = { input: 1, cached: 0, output: 2, reasoning: 0 }
  const [line = '', ...others] = linesOf('info', {
    model: 'gpt-5.5',
    stream: false,
    status: 200,
    firstEventAt: 220.04,
    usage,
    ignored: ['seed'],
    upstreamRetries: 1,
    upstreamRequestId: 'up_1',
  })
  expect(others).toEqual([])
  expect(line).toMatch(/^\{[^\n]+\}\n$/)
  expect(JSON.parse(line)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    name: 'codex_api_proxy.latency',
    requestId: 'req_1',
    route: 'POST /v1/responses',
    model: 'gpt-5.5',
    stream: false,
    status: 200,
    firstEventMs: 120,
    totalMs: 250.3,
    usage,
    ignored: ['seed'],
    upstreamRetries: 1,
    upstreamRequestId: 'up_1',
    msg: 'request finished',
  })
})

test('the name of a model, which the client chose, does not make a line long', () => {
  const [line = ''] = linesOf('info', { model: 'm'.repeat(100_000) })
  expect(JSON.parse(line).model).toBe('m'.repeat(200))
})

test.each([
  ['gpt-6-astra', 'gpt-5.6-luna', 'gpt-5.6-luna'],
  ['gpt-5.3-codex', 'gpt-5.2-2025-12-11', 'gpt-5.2-2025-12-11'],
  ['gpt-5.5', 'gpt-5.5', undefined],
  ['gpt-5.5', 'gpt-5.5-2026-04-23', undefined],
  ['openai/gpt-5.5-high', 'gpt-5.5', undefined],
  ['openai/gpt-5.5', 'gpt-5.5-2026-04-23', undefined],
  ['gpt-5.5(high)', 'gpt-5.5-2026-04-23', undefined],
  ['gpt-5.5-2026-04-23', 'gpt-5.5-2026-04-23', undefined],
  ['gpt-5.5', 'gpt-5.5-mini', 'gpt-5.5-mini'],
  ['gpt-5.5', 'gpt-5.5-mini-2026-04-23', 'gpt-5.5-mini-2026-04-23'],
  ['gpt-5.5', 'gpt-5', 'gpt-5'],
  [undefined, 'gpt-5.5', undefined],
  ['gpt-5.5', undefined, undefined],
  ['gpt-5.5', 'm'.repeat(300), 'm'.repeat(200)],
])('asked for %s and answered by %s, the line names %s', (model, servedModel, told) => {
  const [line = ''] = linesOf('info', { model, servedModel })
  expect(JSON.parse(line).servedModel).toBe(told)
})

test('what is not known has no field, and a client that left has seen no status', () => {
  const [line = ''] = linesOf('debug', { aborted: true, status: 200, ignored: [] })
  const fields = ['level', 'time', 'name', 'requestId', 'route', 'status', 'totalMs', 'msg']
  expect(Object.keys(JSON.parse(line))).toEqual(fields)
  expect(JSON.parse(line)).toMatchObject({ status: 499 })
})

test('a failure is told with its status and code, a refused origin by its name', () => {
  const failure = { status: 403, code: 'origin_not_allowed', refusal: 'app://obsidian.md' }
  const [line = ''] = linesOf('info', failure)
  expect(JSON.parse(line)).toMatchObject(failure)
})

test('levels above info leave it out', () => {
  expect([linesOf('warning', {}), linesOf('error', {})]).toEqual([[], []])
})

test('times are written as Date writes them, also when the clock is set back', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 4_000_000_000_000 }), { minLength: 1 }), (times) => {
      const clock = times.flatMap((time) => [time, time + 1, time])
      const stamp = isoClock(() => clock.shift() ?? 0)
      for (const time of [...clock]) expect(stamp()).toBe(new Date(time).toISOString())
    }),
  )
})
