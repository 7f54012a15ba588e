import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http'
import { connect, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { ProxyError } from '../errors.ts'
import { sendAnswer, sendError, writeHead } from './answers.ts'
import { isClosing } from './linger.ts'

let server: Server
let port: number
let answer: (request: IncomingMessage, response: ServerResponse) => void

beforeEach(async () => {
  server = createServer((request, response) => answer(request.resume(), response))
  port = await listenOnLoopback(server)
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

async function ask(): Promise<Response> {
  return await fetch(`http://127.0.0.1:${port}`)
}

test.each<[string, object | string, string | null, string]>([
  ['an object', { euro: '€' }, 'application/json; charset=utf-8', '{"euro":"€"}'],
  ['a text', '€', null, '€'],
  ['bytes', Buffer.from('{}'), null, '{}'],
])('%s is sent as what it is, with its length in bytes', async (_what, body, type, sent) => {
  answer = (_request, response) => sendAnswer(response, [], { status: 200, body })
  const given = await ask()
  expect(await given.text()).toBe(sent)
  expect(given.headers.get('content-type')).toBe(type)
  expect(given.headers.get('content-length')).toBe(String(Buffer.byteLength(sent)))
})

test('the type of an answer takes the place of the one of JSON', async () => {
  const headers = { 'content-type': 'application/problem+json' }
  answer = (_request, response) => sendAnswer(response, [], { status: 200, headers, body: {} })
  expect((await ask()).headers.get('content-type')).toBe('application/problem+json')
})

test('what an answer adds takes the place of what all carry', async () => {
  const common = ['x-request-id', 'ours', 'x-kept', 'kept']
  answer = (_request, response) =>
    sendAnswer(response, common, { status: 200, headers: { 'x-request-id': 'theirs' }, body: {} })
  const { headers } = await ask()
  expect([headers.get('x-request-id'), headers.get('x-kept')]).toEqual(['theirs', 'kept'])
})

test('what an answer varies by is added to what all answers vary by', async () => {
  const headers = { vary: ['Accept-Encoding', 'Accept'] }
  answer = (_request, response) => sendAnswer(response, ['vary', 'Origin'], { status: 200, headers, body: {} })
  expect((await ask()).headers.get('vary')).toBe('Origin, Accept-Encoding, Accept')
})

test('nothing that was sent is held while the answer lasts', () => {
  const common = ['x-request-id', 'ours']
  writeHead(new ServerResponse(new IncomingMessage(new Socket())), 200, common, { 'content-type': 'text/event-stream' })
  expect(common).toEqual([])
})

test.each([204, 304])('%d has neither body nor length', async (status) => {
  answer = (_request, response) => {
    sendAnswer(response, ['connection', 'close'], { status, body: 'not for this one' })
  }
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const sent = await text(socket)
  expect(sent).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(sent).not.toMatch(/content-length/i)
  expect(sent.split('\r\n\r\n')).toEqual([expect.any(String), ''])
})

test.each([
  ['client_key_invalid', 'keep-alive'],
  ['internal_error', 'close'],
  ['upstream_invalid', 'close'],
] as const)('after %s the connection is: %s', async (code, connection) => {
  let takesOthers: boolean | undefined
  answer = (request, response) =>
    request.on('end', () => {
      sendError(request, response, [], failure(code))
      takesOthers = !isClosing(request.socket)
    })
  const given = await ask()
  expect(takesOthers).toBe(true)
  expect(given.headers.get('connection')).toBe(connection)
  expect(await given.json()).toMatchObject({ error: { code } })
})

test('an error breaks off an answer that has begun', async () => {
  answer = (request, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('begun', () => sendError(request, response, [], failure('internal_error')))
  }
  const given = await ask()
  await expect(given.text()).rejects.toThrow()
})

function failure(code: ConstructorParameters<typeof ProxyError>[0]): ProxyError {
  return new ProxyError(code, 'It failed.')
}
