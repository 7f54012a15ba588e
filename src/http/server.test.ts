import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Deferred, deferred } from '../../test/support/deferred.ts'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { Cancellation } from '../cancellation.ts'
import { loadConfig } from '../config/load.ts'
import type { Answer } from '../routes/api-request.ts'
import { createLogger } from '../telemetry/logger.ts'
import { Metrics } from '../telemetry/metrics.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'
import { createAdmission } from './admission.ts'
import { createGuard } from './guard.ts'
import { createServer } from './server.ts'

const now = () => performance.now()
const NOT_FOR_A_HEADER = 'two\nlines'
const ORIGIN = 'https://app.example'

let server: Server
let url = ''
/** What the routes answer; what the answers of the API carry besides, and how often it was asked. */
let answer: Answer
let common: Record<string, string>
let asked: number
let running: Cancellation
let draining: boolean
let logged: string[]
let finished: RequestRecord[]
/** What answers wait for. */
let held: Deferred<void> | undefined

beforeEach(async () => {
  answer = { status: 200, body: { fine: true } }
  common = {}
  asked = 0
  held = undefined
  running = new Cancellation()
  draining = false
  const { config } = loadConfig({ flags: {}, env: {}, saved: {}, bases: { home: '/home/tester', cwd: '/' } })
  logged = []
  finished = []
  const logger = createLogger('error', { write: (line) => logged.push(line) })
  server = createServer({
    config,
    logger,
    routes: [
      {
        methods: ['GET'],
        path: '/answer',
        kind: 'api',
        async handle(request) {
          asked++
          if (held !== undefined) await request.cancellation.race(held.promise)
          request.setHeaders(common)
          return answer
        },
      },
      { methods: ['GET'], path: '/probe', kind: 'probe', handle: async () => answer },
    ],
    guard: createGuard({ hosts: [], origins: [ORIGIN], clientKey: undefined }),
    admission: createAdmission(config),
    metrics: new Metrics(now),
    requestLog: (record) => finished.push(record),
    tls: undefined,
    running,
    newRequestId: () => 'req_1',
    now,
    isDraining: () => draining,
  })
  url = `http://127.0.0.1:${await listenOnLoopback(server)}/answer`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

test('headers of an answer take the place of common ones of the same name, once', async () => {
  common = { 'x-request-id': 'of upstream', 'x-kept': 'yes' }
  answer = { status: 201, headers: { 'x-request-id': 'of the answer' }, body: 'text' }
  const { status, headers } = await fetch(url)
  expect(status).toBe(201)
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-request-id': 'of the answer',
    'x-codex-proxy-request-id': 'req_1',
    'x-kept': 'yes',
    'content-length': '4',
  })
})

test.each([
  ['host', 'Host: host.docker.internal', 'host.docker.internal'],
  ['origin', 'Host: localhost\r\nOrigin: app://obsidian.md', 'app://obsidian.md'],
])('the log names a refused %s, since few apps show the answer', async (what, headers, name) => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(`GET /answer HTTP/1.1\r\n${headers}\r\n\r\n`)
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 403 /)
  await expect
    .poll(() => finished)
    .toMatchObject([{ code: `${what}_not_allowed`, refusal: expect.stringContaining(name) }])
})

test('a page of an allowed origin may read every answer', async () => {
  const allowed = async (path: string) => {
    const { status, headers } = await fetch(new URL(path, url), { headers: { origin: ORIGIN } })
    return [status, headers.get('access-control-allow-origin')]
  }
  const answers = await Promise.all(['/answer', '/probe', '/nowhere'].map(allowed))
  expect(answers).toEqual([200, 200, 404].map((status) => [status, ORIGIN]))
})

test('a server that stops refuses what is new, but no probe', async () => {
  draining = true
  const statuses = ['/answer', '/probe'].map(async (path) => (await fetch(new URL(path, url))).status)
  expect(await Promise.all(statuses)).toEqual([503, 200])
})

test('an answer that cannot be sent is an internal error', async () => {
  answer = { status: 200, headers: { 'x-bad': NOT_FOR_A_HEADER }, body: '' }
  const refused = await fetch(url)
  expect(refused.status).toBe(500)
  // Its own log is all that tells what happened.
  const message = expect.stringContaining('`codex-api-proxy logs`')
  expect(await refused.json()).toMatchObject({ error: { code: 'internal_error', message } })
})

test('a failure that cannot be told ends the connection, not the program', async () => {
  common = { 'x-bad': NOT_FOR_A_HEADER }
  await expect(fetch(url)).rejects.toThrow('fetch failed')
  // Of the answer, and of what was to be said of it.
  const errors = logged.map((line) => JSON.parse(line))
  expect(errors).toMatchObject([{ msg: 'unexpected failure' }, { err: { code: 'ERR_INVALID_CHAR' } }])
  common = {}
  expect((await fetch(url)).status).toBe(200)
})

test('headers have a minute to arrive, and idle connections are kept longer than by common clients', () => {
  expect(server).toMatchObject({ requestTimeout: 120_000, headersTimeout: 60_000, keepAliveTimeout: 125_000 })
})

test('a client that leaves before its answer is no failure to log', async () => {
  held = deferred()
  const ended = vi.spyOn(running, 'remove')
  const leaving = new AbortController()
  const asking = fetch(url, { signal: leaving.signal })
  await expect.poll(() => asked).toBe(1)
  leaving.abort()
  await expect(asking).rejects.toThrow()
  await expect.poll(() => ended.mock.calls).toHaveLength(1)
  expect(logged).toEqual([])
})

describe('two requests on one connection, one right behind the other', () => {
  const GET = 'GET /answer HTTP/1.1\r\nHost: localhost\r\n\r\n'
  let client: Socket
  let connection: Socket
  beforeEach(async () => {
    held = deferred()
    const connected = once(server, 'connection')
    client = connect(Number(new URL(url).port), '127.0.0.1')
    client.write(GET + GET.replace('\r\n', '\r\nConnection: close\r\n'))
    ;[connection] = await connected
    await expect.poll(() => asked).toBe(1)
  })

  test('are served one after the other, without the time that the first client had to read', async () => {
    connection.setTimeout(60_000)
    held?.resolve()
    expect((await text(client)).match(/"fine":true/g)).toHaveLength(2)
    expect([asked, connection.timeout]).toEqual([2, 0])
  })

  test('the second is never begun when their client leaves before the end of the first', async () => {
    const ended = vi.spyOn(running, 'remove')
    client.destroy()
    await expect.poll(() => ended.mock.calls).toHaveLength(1)
    held?.resolve()
    await fetch(url)
    expect(asked).toBe(2)
  })
})

describe('a hundred requests behind one that runs', () => {
  const GET = 'GET /answer HTTP/1.1\r\nHost: localhost\r\n\r\n'
  let client: Socket
  beforeEach(async () => {
    held = deferred()
    client = connect(Number(new URL(url).port), '127.0.0.1')
    client.on('error', () => {})
    client.write(GET.repeat(101))
    await expect.poll(() => asked).toBe(1)
  })

  test('are served, and a hundred more after them', async () => {
    let answers = ''
    client.on('data', (bytes) => {
      answers += bytes
    })
    held?.resolve()
    await expect.poll(() => asked).toBe(101)
    client.write(GET.repeat(99) + GET.replace('\r\n', '\r\nConnection: close\r\n'))
    await once(client, 'close')
    expect(answers.match(/"fine":true/g)).toHaveLength(201)
  })

  test('are the most: with one more their client is cut off, and none of them is begun', async () => {
    const ended = vi.spyOn(running, 'remove')
    client.write(GET)
    await once(client, 'close')
    await expect.poll(() => ended.mock.calls).toHaveLength(1)
    held?.resolve()
    expect((await fetch(url)).status).toBe(200)
    expect(asked).toBe(2)
  })
})

test('a request that is over is no longer among those that run', async () => {
  const [began, ended] = [vi.spyOn(running, 'add'), vi.spyOn(running, 'remove')]
  await (await fetch(url)).text()
  await expect.poll(() => ended.mock.calls).toEqual(began.mock.calls)
  expect(began).toHaveBeenCalledOnce()
})

test('what follows a refused body on its connection is no request', async () => {
  const good = 'GET /answer HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(`POST /answer HTTP/1.1\r\nHost: evil.example\r\nContent-Length: ${good.length}\r\n\r\n${good}${good}`)
  const answers = (await text(socket)).match(/HTTP\/1\.1 \d+/g)
  expect({ answers, asked }).toEqual({ answers: ['HTTP/1.1 403'], asked: 0 })
})

test('a client that has the server as its HTTP proxy is told that it is none', async () => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n')
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n.*"code":"tunnel_unsupported"/s)
  expect((await fetch(url)).status).toBe(200)
})

test('an expectation that nobody knows is passed over', async () => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET /answer HTTP/1.1\r\nHost: localhost\r\nExpect: the-unexpected\r\nConnection: close\r\n\r\n')
  // What follows connections, for a stop, goes by this event.
  const [request] = await once(server, 'request')
  expect(request.headers.expect).toBe('the-unexpected')
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*"fine":true/s)
})
