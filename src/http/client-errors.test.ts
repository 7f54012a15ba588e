import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { answerClientError, refusalOn, refuseTunnel } from './client-errors.ts'

let server: Server | undefined
let logged: object[] = []
let accepted: Promise<Socket>

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function start(options: Parameters<typeof createServer>[0] = {}): Promise<Socket> {
  logged = []
  server = createServer({ maxHeaderSize: 2048, connectionsCheckingInterval: 20, ...options }, (request, response) => {
    request.resume()
    if (request.url !== '/wait') response.write('first part')
  })
  server.on('clientError', (error, socket) => {
    answerClientError(error, socket as Socket, { info: (fields: object) => void logged.push(fields) })
  })
  server.on('connect', (_request, socket) => {
    refuseTunnel(socket as Socket, { info: (fields: object) => void logged.push(fields) })
  })
  accepted = once(server, 'connection').then(([connection]) => connection)
  const socket = connect(await listenOnLoopback(server), '127.0.0.1')
  // A reset after the answer is how the server ends a client that goes on sending.
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** The connection of the next one that is refused. */
function nextRefusal(): Promise<Duplex> {
  return new Promise((resolve) => server?.once('clientError', (_error, connection) => resolve(connection)))
}

async function everything(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString()
  })
  socket.on('end', () => socket.end())
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

function parse(answer: string): { status: number; body: { error: { code: string; type: string; message: string } } } {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  expect(head).toMatch(/content-type: application\/json/)
  expect(head).toMatch(/connection: close/)
  expect(Number(/content-length: (\d+)/.exec(head)?.[1])).toBe(Buffer.byteLength(body))
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) }
}

test.each([
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01', 400, 'invalid_http'],
  ['a request line of junk', 'GET\r\n\r\n', 400, 'invalid_http'],
  ['another version', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n', 400, 'invalid_http'],
  // Not one without a name: Node before 20.19.2 takes it.
  ['a header with a space in its name', 'GET / HTTP/1.1\r\nHost: x\r\na b: y\r\n\r\n', 400, 'invalid_http'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400, 'invalid_http'],
  [
    'length and chunks at once',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
    'invalid_http',
  ],
  [
    'headers beyond the limit',
    `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(3000)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  [
    'chunk extensions beyond the limit of Node',
    `POST /wait HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(20_000)}`,
    413,
    'request_too_large',
  ],
])('%s: the answer has the shape of every other error', async (_what, request, status, code) => {
  const socket = await start()
  socket.write(request, 'latin1')
  const answer = parse(await everything(socket))
  expect(answer).toMatchObject({ status, body: { error: { code, type: 'invalid_request_error', param: null } } })
  expect(logged).toEqual([{ status, code, reason: expect.stringMatching(/^HPE_/) }])
})

test('a client that takes the server for an HTTP proxy is told so, also if it does not wait for that', async () => {
  const socket = await start()
  socket.write('CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n\x16\x03\x01')
  const { status, body } = parse(await everything(socket))
  expect([status, body.error.message]).toEqual([
    501,
    'This is an API server, not an HTTP proxy. Give clients its address as their base URL, not in `HTTPS_PROXY` or `HTTP_PROXY`.',
  ])
  expect(logged).toEqual([{ status: 501, code: 'tunnel_unsupported', reason: 'CONNECT' }])
})

test('a CONNECT behind a request whose answer has begun ends the connection', async () => {
  const socket = await start()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'data')
  socket.write('CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n')
  expect(await everything(socket)).not.toContain('501')
  expect(logged).toEqual([])
})

test('a client that goes on sending gets to read the answer, and one line is logged', async () => {
  const socket = await start()
  socket.write(`GET / HTTP/1.1\r\nX: ${'a'.repeat(3000)}`)
  const sending = setInterval(() => socket.write('a'.repeat(100_000)), 1)
  const answer = parse(await everything(socket))
  clearInterval(sending)
  expect(answer.status).toBe(431)
  expect(logged).toHaveLength(1)
})

test('what a refused client sends besides does not reset its connection at once', async () => {
  // The time that a refused client gets does not pass.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const socket = await start()
  const refusal = nextRefusal()
  socket.write('GET\r\n\r\n')
  const connection = await refusal
  const more = nextRefusal()
  socket.write('and more')
  await more
  expect(connection.destroyed).toBe(false)
})

test('a client that is too slow with its headers is answered 408', async () => {
  const socket = await start({ headersTimeout: 50, requestTimeout: 50 })
  socket.write('GET / HTTP/1.1\r\nHost')
  expect(parse(await everything(socket))).toMatchObject({ status: 408, body: { error: { code: 'request_timeout' } } })
  expect(refusalOn(await accepted)).toMatchObject({ status: 408, code: 'request_timeout' })
})

test('a refused client that has gone leaves no timer behind, which would hold the program', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  onTestFinished(() => timers.mockRestore())
  const socket = await start()
  socket.write('GET\r\n\r\n')
  await everything(socket)
  const lingering = timers.mock.calls.findIndex(([, milliseconds]) => milliseconds === 1000)
  expect(timers.mock.results[lingering]?.value.hasRef()).toBe(false)
})

test('an answer that has begun is cut, never mixed with a second one', async () => {
  const socket = await start()
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  await once(socket, 'readable')
  socket.write('no chunk\r\n')
  const answer = await everything(socket)
  expect(answer).toContain('first part')
  expect(answer).not.toContain('invalid_http')
})

test('a client that ends in the middle of a request is nothing to log', async () => {
  const socket = await start()
  socket.end('GET / HTTP/1.1\r\nHost')
  expect(await everything(socket)).toBe('')
  expect(logged).toEqual([])
})

test('a client that resets its connection is nothing to log', async () => {
  const socket = await start()
  const connection = await accepted
  const refused = nextRefusal()
  socket.write('GET / HTTP/1.1\r\nHost')
  await expect.poll(() => connection.bytesRead).toBeGreaterThan(0)
  socket.resetAndDestroy()
  expect((await refused).writable).toBe(false)
  expect(logged).toEqual([])
})
