import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test, vi } from 'vitest'
import { deferred } from '../../test/support/deferred.ts'
import { Cancellation } from '../cancellation.ts'
import { newRequestRecord } from '../telemetry/request-record.ts'
import type { AnswerBody, BodySink, UpstreamAnswer } from '../upstream/answer.ts'
import type { UpstreamRequest } from '../upstream/client.ts'
import type { ApiRequest } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { forwardOr } from './forward.ts'

const BODY_BYTES = 100_000

/** An API key, and an upstream that answers nothing at once; `sending` is done with what it is sent. */
function contextWith(sending: (request: UpstreamRequest) => void, answer: Partial<UpstreamAnswer> = {}): RouteContext {
  const body: Partial<AnswerBody> = { pipe: (sink) => sink.end() }
  const context = {
    credentials: { current: () => ({ kind: 'api-key', apiKey: 'sk-test' }) },
    upstream: {
      async send(request: UpstreamRequest) {
        sending(request)
        return { status: 200, headers: { 'content-length': '0' }, body, ...answer }
      },
    },
    rateLimits: { notice() {} },
    logger: { isLevelEnabled: () => false },
    now: () => 0,
    monotonic: () => 42,
  }
  return context as unknown as RouteContext
}

function requestOf(bytes: Buffer): ApiRequest {
  const request: Partial<ApiRequest> = {
    method: 'POST',
    url: '/v1/responses',
    headers: {},
    record: newRequestRecord('id', 'POST', '/v1/responses', 0),
    cancellation: new Cancellation(),
    rawBody: async () => bytes,
  }
  return request as ApiRequest
}

const routeOf = (context: RouteContext) =>
  forwardOr(context, () => Promise.reject(new Error('There is no ChatGPT login.')))

/** Forwards this body. */
async function forwarded(bytes: Buffer, sending: (request: UpstreamRequest) => void): Promise<number | undefined> {
  return (await routeOf(contextWith(sending))(requestOf(bytes)))?.status
}

test('a body that is forwarded is freed once it is answered', async () => {
  const bytes = Buffer.allocUnsafeSlow(BODY_BYTES)
  const sent: number[] = []
  const status = await forwarded(bytes, ({ body, memory }) => {
    memory?.retain()
    sent.push(...(body ?? []).map((piece) => piece.length))
    memory?.release()
  })
  expect([status, sent, bytes.length]).toEqual([200, [BODY_BYTES], 0])
})

test('a body that is answered while it is still sent is left to the collector', async () => {
  const bytes = Buffer.allocUnsafeSlow(BODY_BYTES)
  await forwarded(bytes, ({ memory }) => memory?.retain())
  expect(bytes.length).toBe(BODY_BYTES)
})

test('a request without a body is sent without one', async () => {
  const sent: UpstreamRequest[] = []
  await forwarded(Buffer.alloc(0), (request) => sent.push(request))
  expect(sent.map(({ body, memory }) => [body, memory])).toEqual([[undefined, undefined]])
})

test('when the answer began, and by which id upstream knows it, is noted', async () => {
  const request = requestOf(Buffer.from('{}'))
  const headers = { 'content-length': '0', 'x-request-id': 'up_1' }
  await routeOf(contextWith(() => {}, { headers }))(request)
  expect(request.record).toMatchObject({ firstEventAt: 42, upstreamRequestId: 'up_1' })
})

test.each([204, 304])('the body that an answer of %i only stands for is not waited for', async (status) => {
  const abort = vi.fn()
  const headers = { 'content-length': '7', etag: '"1"' }
  const context = contextWith(() => {}, { status, headers, body: { abort } as unknown as AnswerBody })
  expect(await routeOf(context)(requestOf(Buffer.from('{}')))).toEqual({ status, headers, body: '' })
  expect(abort).toHaveBeenCalledOnce()
})

test('whether the answer is a stream, and how often it was asked for again, is noted', async () => {
  const request = requestOf(Buffer.from('{}'))
  const headers = { 'content-length': '0', 'content-type': 'text/event-stream' }
  await routeOf(contextWith(({ onRetry }) => onRetry?.(), { headers }))(request)
  expect(request.record).toMatchObject({ stream: true, upstreamRetries: 1 })
})

test('a client that reads slowly pauses upstream, and is given up when it reads nothing for too long', async () => {
  const limits: number[] = []
  const response = Object.assign(new EventEmitter(), {
    writableLength: 1,
    write: () => false,
    end() {},
    setTimeout: (milliseconds: number) => limits.push(milliseconds),
  })
  const pause = vi.fn()
  const resume = vi.fn()
  const piped = deferred<BodySink>()
  const body: Partial<AnswerBody> = { pause, resume, pipe: piped.resolve }
  const context = contextWith(() => {}, { headers: {}, body: body as AnswerBody })
  const settings: Partial<RouteContext['config']> = { slowClientTimeout: 5 }
  const request: ApiRequest = {
    ...requestOf(Buffer.from('{}')),
    takeOver: () => response as unknown as ServerResponse,
  }
  const answered = routeOf({ ...context, config: settings as RouteContext['config'] })(request)
  const sink = await piped.promise
  expect(request.record.status).toBe(200)
  sink.data({ memory: Buffer.from('x'), ranges: [0, 1] })
  expect([pause.mock.calls.length, resume.mock.calls.length, limits]).toEqual([1, 0, [5]])
  response.emit('drain')
  expect([pause.mock.calls.length, resume.mock.calls.length, limits]).toEqual([1, 1, [5, 0]])
  sink.end()
  expect(limits).toEqual([5, 0, 5])
  response.emit('close')
  expect(await answered).toBeUndefined()
})

test('an answer that upstream breaks off has no end for the client either, and that is noted', async () => {
  const destroy = vi.fn(() => response.emit('close'))
  const response = Object.assign(new EventEmitter(), { write: () => true, destroy })
  const body: Partial<AnswerBody> = { pipe: (sink) => sink.fail(new Error('The other side closed.')) }
  const context = contextWith(() => {}, { headers: {}, body: body as AnswerBody })
  const request: ApiRequest = {
    ...requestOf(Buffer.from('{}')),
    takeOver: () => response as unknown as ServerResponse,
  }
  await routeOf({ ...context, config: {} as RouteContext['config'] })(request)
  expect(destroy).toHaveBeenCalledOnce()
  expect(request.record).toMatchObject({ status: 502, code: 'upstream_stream_cut' })
})
