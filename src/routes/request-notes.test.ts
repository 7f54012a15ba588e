import { expect, test } from 'vitest'
import { newRequestRecord } from '../telemetry/request-record.ts'
import type { RouteContext } from './context.ts'
import { noticeHeaders } from './request-notes.ts'

test('the head of an answer tells limits and a changed catalogue', () => {
  const noticed: unknown[] = []
  const context = {
    rateLimits: { notice: (told: object, at: number) => noticed.push(told, at) },
    catalogue: { noticeEtag: (etag: string) => noticed.push(etag) },
    now: () => 7,
  } as unknown as RouteContext
  const record = newRequestRecord('id', 'POST', '/v1/responses', 0)
  const headers = { 'x-models-etag': '"2"', 'x-codex-plan-type': 'plus' }
  noticeHeaders(context, { record }, { headers })
  expect(noticed).toEqual([headers, 7, '"2"'])
})

test.each(['x-request-id', 'x-oai-request-id'])('the id that upstream gives a request as %s is noted', (name) => {
  const context = { rateLimits: { notice() {} }, now: () => 0 } as unknown as RouteContext
  const record = newRequestRecord('id', 'POST', '/v1/responses', 0)
  noticeHeaders(context, { record }, { headers: { [name]: 'up_1' } })
  expect(record.upstreamRequestId).toBe('up_1')
})
