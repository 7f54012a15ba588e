import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { Agent } from 'undici'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { Cancellation } from '../cancellation.ts'
import type { ChatGptCredentials, CredentialSource } from '../credentials/credentials.ts'
import { ProxyError } from '../errors.ts'
import { createUpstreamClient, type UpstreamClient } from './client.ts'
import { type OutboundRoute, openOutboundRoute } from './outbound-proxy.ts'

const LOGIN: ChatGptCredentials = { kind: 'chatgpt', accessToken: 'token', accountId: undefined, fedramp: false }

let server: Server
let port: number
let agent: Agent
let client: UpstreamClient
/** What the server does with each request, in turn. */
let answers: ((response: ServerResponse) => void)[]
let asked: number

beforeEach(async () => {
  answers = []
  asked = 0
  server = createServer((_request, response) => {
    asked++
    answers.shift()?.(response)
  })
  port = await listenOnLoopback(server)
  agent = new Agent()
  const url = new URL(`http://127.0.0.1:${port}`)
  const route: Partial<OutboundRoute> = {
    dispatcherFor: () => agent,
    keepWarm() {},
    connectionFailed: async () => false,
    explain: (error) => new ProxyError('upstream_unreachable', error.message),
  }
  const credentials: Partial<CredentialSource> = { replace: async () => ({ ...LOGIN, accessToken: 'a newer token' }) }
  client = createUpstreamClient({
    credentials: credentials as CredentialSource,
    targetFor: () => ({ url, origin: url.origin, basePath: '', headers: [] }),
    outbound: () => route as OutboundRoute,
    idleTimeout: 10_000,
    random: () => 0,
  })
})
afterEach(async () => {
  await agent.destroy()
  server.closeAllConnections()
  server.close()
})

const send = (more: { readonly retries?: false } = {}) =>
  client.send({ method: 'POST', path: '/', headers: {}, ...more }, LOGIN, new Cancellation())

const ok = (response: ServerResponse) => void response.end()
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
  answers = [(response) => void response.writeHead(503).end(), reset, reset, reset, reset]
  expect((await send({ retries: false })).status).toBe(503)
  await expect(send({ retries: false })).rejects.toMatchObject({ code: 'upstream_unreachable' })
  expect(asked).toBe(2)
  await expect(send()).rejects.toMatchObject({ code: 'upstream_unreachable' })
  expect(asked).toBe(5)
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
