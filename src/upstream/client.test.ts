import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { Agent } from 'undici'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { Cancellation } from '../cancellation.ts'
import type { ChatGptCredentials, CredentialSource, Credentials } from '../credentials/credentials.ts'
import { ProxyError } from '../errors.ts'
import { createUpstreamClient, type UpstreamClient } from './client.ts'
import { type OutboundRoute, openOutboundRoute } from './outbound/outbound-route.ts'
import { readBody } from './read-body.ts'

const LOGIN: ChatGptCredentials = { kind: 'chatgpt', accessToken: 'token', accountId: undefined, fedramp: false }

let server: Server
let port: number
let agent: Agent
let client: UpstreamClient
/** What the server does with each request, in turn. */
let answers: ((response: ServerResponse) => void)[]
let asked: number
let random: number
/** What takes the place of refused credentials. */
let replacement: Credentials
const replace = vi.fn(async (_refused: Credentials) => replacement)
const keepWarm = vi.fn()
const connectionFailed = vi.fn(async () => false)

beforeEach(async () => {
  answers = []
  asked = 0
  random = 0
  replacement = { ...LOGIN, accessToken: 'a newer token' }
  vi.clearAllMocks()
  server = createServer((_request, response) => {
    asked++
    answers.shift()?.(response)
  })
  port = await listenOnLoopback(server)
  agent = new Agent()
  const url = new URL(`http://127.0.0.1:${port}`)
  const route: Partial<OutboundRoute> = {
    dispatcherFor: () => agent,
    keepWarm,
    connectionFailed,
    explain: (error) => new ProxyError('upstream_unreachable', error.message),
  }
  const credentials: Partial<CredentialSource> = { replace }
  client = createUpstreamClient({
    credentials: credentials as CredentialSource,
    targetFor: () => ({ url, origin: url.origin, basePath: '', headers: [] }),
    outbound: () => route as OutboundRoute,
    idleTimeout: 10_000,
    random: () => random,
  })
})
afterEach(async () => {
  await agent.destroy()
  server.closeAllConnections()
  server.close()
})

const send = (more: { readonly retries?: false } = {}, cancellation = new Cancellation()) =>
  client.send({ method: 'POST', path: '/', headers: {}, ...more }, LOGIN, cancellation)

const ok = (response: ServerResponse) => void response.end()
const refuse = (response: ServerResponse) => void response.writeHead(401).end()
const notNow = (response: ServerResponse) => void response.writeHead(503).end()
const reset = (response: ServerResponse) => void response.socket?.destroy()

test.each([503, 401])(
  'an answer of %i that goes on and on is closed when the request is sent again',
  async (status) => {
    let closed: Promise<unknown> | undefined
    answers = [
      (response) => {
        closed = once(response, 'close')
        response.writeHead(status).write('No, and')
      },
      ok,
    ]
    expect((await send()).status).toBe(200)
    await closed
  },
)

test('what must not be done twice is sent once, whatever fails', async () => {
  answers = [notNow, reset, reset, reset, reset]
  expect((await send({ retries: false })).status).toBe(503)
  await expect(send({ retries: false })).rejects.toMatchObject({ code: 'upstream_unreachable' })
  expect(asked).toBe(2)
  await expect(send()).rejects.toMatchObject({ code: 'upstream_unreachable' })
  expect(asked).toBe(5)
})

test.each([
  [0, [100, 200]],
  [0.75, [250, 500]],
])('further tries wait twice as long each, by chance half less or more (%d)', async (chance, waits) => {
  random = chance
  answers = [notNow, reset, ok]
  const cancellation = new Cancellation()
  const delay = vi.spyOn(cancellation, 'delay').mockResolvedValue()
  expect((await send({}, cancellation)).status).toBe(200)
  expect(delay.mock.calls.flat()).toEqual(waits)
})

test.each([
  ['retry-after', '2', [2000]],
  ['retry-after', '5', [5000]],
  ['retry-after', '0', [100]],
  ['retry-after', 'Wed, 21 Oct 2099 07:28:00 GMT', [100]],
  ['retry-after', '6', []],
  ['x-should-retry', 'true', [100]],
  ['x-should-retry', 'false', []],
])('a 503 with %s: %s is tried again as upstream wants it, after %j ms', async (name, value, waits) => {
  answers = [(response) => void response.writeHead(503, { [name]: value }).end(), ok]
  const cancellation = new Cancellation()
  const delay = vi.spyOn(cancellation, 'delay').mockResolvedValue()
  expect((await send({}, cancellation)).status).toBe(waits.length === 0 ? 503 : 200)
  expect(delay.mock.calls.flat()).toEqual(waits)
})

test('a client that leaves while another try is waited for gets none', async () => {
  answers = [notNow, ok]
  const cancellation = new Cancellation()
  const reason = new Error('The client left.')
  vi.spyOn(cancellation, 'delay').mockRejectedValue(reason)
  await expect(send({}, cancellation)).rejects.toBe(reason)
  expect(asked).toBe(1)
})

test('a client that leaves is no failure of the connection', async () => {
  const cancellation = new Cancellation()
  const reason = new Error('The client left.')
  answers = [() => cancellation.cancel(reason)]
  await expect(send({}, cancellation)).rejects.toBe(reason)
  expect(connectionFailed).not.toHaveBeenCalled()
})

test('refused credentials are replaced twice, each time what was refused last', async () => {
  answers = [refuse, refuse, refuse, ok]
  expect((await send()).status).toBe(401)
  expect(replace.mock.calls).toEqual([
    [LOGIN, undefined],
    [replacement, undefined],
  ])
  expect(asked).toBe(3)
})

test('a 401 that nothing helps against is the answer, since it says why', async () => {
  answers = [(response) => void response.writeHead(401).end('Deactivated.')]
  replace.mockRejectedValueOnce(new ProxyError('upstream_rejected_credentials', 'Nothing else to try.'))
  const { status, body } = await send()
  expect([status, (await readBody(body, 100)).toString()]).toEqual([401, 'Deactivated.'])
})

test('a 401 that goes on and on is closed when the login can not be refreshed, which is told instead', async () => {
  let closed: Promise<unknown> | undefined
  answers = [
    (response) => {
      closed = once(response, 'close')
      response.writeHead(401).write('No, and')
    },
  ]
  replace.mockRejectedValueOnce(new ProxyError('login_expired', 'Spent.'))
  await expect(send()).rejects.toMatchObject({ code: 'login_expired' })
  await closed
})

test.each([520, 521, 522, 523, 525, 530])(
  'a CDN that does not get through to upstream (%i) is asked again',
  async (status) => {
    answers = [(response) => void response.writeHead(status).end(), ok]
    expect((await send()).status).toBe(200)
  },
)

test.each([500, 504, 524, 526])('an answer of %i is final', async (status) => {
  answers = [(response) => void response.writeHead(status).end(), ok]
  expect((await send()).status).toBe(status)
})

test('a request that was converted for one kind of login is not sent with another', async () => {
  replacement = { kind: 'api-key', apiKey: 'sk-made-up' }
  answers = [refuse, ok]
  await expect(send()).rejects.toMatchObject({ code: 'upstream_rejected_credentials' })
  expect(asked).toBe(1)
})

test('who asks an upstream is likely to ask it again', async () => {
  answers = [ok]
  await send()
  expect(keepWarm.mock.calls.map(([{ port }]) => Number(port))).toEqual([port])
})

// The proxy ends when it is asked to connect, or when it has got the request, which it may have passed on.
test.each([
  ['before', 1],
  ['after', 0],
] as const)(
  'what must not be done twice, when the default proxy ends %s it got it, goes another way %i times',
  async (when, times) => {
    const proxy = createTcpServer((socket) => {
      const end = () => {
        proxy.close()
        socket.destroy()
      }
      const tunnel = () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.once('data', end)
      }
      socket.once('data', when === 'before' ? end : tunnel)
    })
    const implicitProxy = `http://127.0.0.1:${await listenOnLoopback(proxy)}`
    const limits = { connectTimeout: 10_000, headerTimeout: 10_000 }
    const log = { info() {}, warn() {} }
    const route = await openOutboundRoute({ proxy: undefined, noProxy: undefined, ...limits }, log, { implicitProxy })
    answers = [ok]
    const url = new URL(`http://0.0.0.0:${port}`)
    const through = createUpstreamClient({
      credentials: {} as CredentialSource,
      targetFor: () => ({ url, origin: url.origin, basePath: '', headers: [] }),
      outbound: () => route,
      idleTimeout: 10_000,
      random: () => 0,
    })
    const request = { method: 'POST', path: '/', headers: {}, retries: false } as const
    await through.send(request, LOGIN, new Cancellation()).catch(() => {})
    expect(asked).toBe(times)
    await route.close()
  },
)
