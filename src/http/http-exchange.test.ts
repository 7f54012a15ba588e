import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { newRequestRecord } from '../telemetry/request-record.ts'
import { answerClientError } from './client-errors.ts'
import { HttpExchange } from './http-exchange.ts'

function startExchange(request: object = { socket: {} }) {
  const response = Object.assign(new EventEmitter(), { writableFinished: false, statusCode: 200, writeHead() {} })
  const exchange = new HttpExchange(request as IncomingMessage, response as unknown as ServerResponse, {
    record: newRequestRecord('req_1', 'POST', '/v1/responses', 0),
    url: '/v1/responses',
    limits: { maxBody: 0, maxDecodedBody: 0, slowClientTimeout: 0 },
  })
  return { response, exchange }
}

/** One whose connection is refused before its end, by Node's own code. */
function startRefused(code: 'ERR_HTTP_REQUEST_TIMEOUT' | 'HPE_INVALID_METHOD') {
  const socket: Partial<Socket> = { writable: true, writableEnded: false, end: vi.fn(), destroy: vi.fn() }
  answerClientError(Object.assign(new Error(code), { code }), socket as Socket, { info() {} })
  return startExchange({ socket })
}

test('a client that leaves before the end of its answer cancels the work', () => {
  const { response, exchange } = startExchange()
  response.emit('close')
  expect(exchange.cancellation.reason?.name).toBe('ClientLeft')
  expect(exchange.record).toMatchObject({ aborted: true, status: 0 })
})

test('an answer that failed after its 200 keeps the status it would have had', () => {
  const { response, exchange } = startExchange()
  exchange.record.status = 502
  response.writableFinished = true
  response.emit('close')
  expect(exchange.record).toMatchObject({ aborted: false, status: 502 })
})

test.each([400, 502])('a client that leaves with its refusal (%d) was refused, and did not leave', (status) => {
  const { response, exchange } = startExchange()
  exchange.record.status = status
  response.emit('close')
  expect(exchange.record).toMatchObject({ aborted: false, status })
})

test('a client whose request was refused on its connection was told so, and did not leave', () => {
  const { response, exchange } = startRefused('ERR_HTTP_REQUEST_TIMEOUT')
  response.emit('close')
  expect(exchange.record).toMatchObject({ aborted: false, status: 408, code: 'request_timeout' })
})

test('an answer that came when its connection had been refused was not sent: the client got the refusal', () => {
  const { response, exchange } = startRefused('HPE_INVALID_METHOD')
  exchange.record.status = 200
  response.emit('close')
  expect(exchange.record).toMatchObject({ aborted: false, status: 400, code: 'invalid_http' })
})

test('an answer that was sent before its connection was refused stays what it was', () => {
  const { response, exchange } = startRefused('HPE_INVALID_METHOD')
  exchange.record.status = 200
  response.writableFinished = true
  response.emit('close')
  expect(exchange.record).toMatchObject({ aborted: false, status: 200, code: undefined })
})

test('what a connection is refused for later takes nothing from what a request came to', () => {
  const { response, exchange } = startRefused('ERR_HTTP_REQUEST_TIMEOUT')
  exchange.record.status = 413
  response.emit('close')
  expect(exchange.record).toMatchObject({ status: 413 })
  expect(exchange.record).not.toHaveProperty('code', 'request_timeout')
})

test('an answer that was sent whole cancels nothing', () => {
  const { response, exchange } = startExchange()
  response.writableFinished = true
  response.emit('close')
  expect(exchange.cancellation.reason).toBeUndefined()
  expect(exchange.record).toMatchObject({ aborted: false, status: 200 })
})

test('the headers of a request are let go of once its answer begins', () => {
  const request = { headers: { authorization: 'Bearer key' }, rawHeaders: ['Authorization', 'Bearer key'] }
  const { exchange } = startExchange(request)
  exchange.takeOver(200, {})
  expect(request).toEqual({ headers: {}, rawHeaders: [] })
})

test('what waits for the end runs once, also when it comes after the end', () => {
  const { response, exchange } = startExchange()
  const ran: string[] = []
  exchange.onClose(() => ran.push('before'))
  response.emit('close')
  exchange.onClose(() => ran.push('after'))
  expect(ran).toEqual(['before', 'after'])
})
