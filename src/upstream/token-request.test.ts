import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test, vi } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { openOutboundRoute } from './outbound/outbound-route.ts'
import { userAgent } from './target.ts'
import { createTokenRequest, TOKEN_REQUEST_LIMIT_MS } from './token-request.ts'

const log = { info() {}, warn() {} }
const DIRECT = { proxy: 'none', noProxy: undefined, connectTimeout: 5000, headerTimeout: 5000 }

const opened: { close(): unknown }[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const each of opened.splice(0).reverse()) await each.close()
})

async function listen(server: Server): Promise<number> {
  opened.push(server)
  return await listenOnLoopback(server)
}

async function routeWith(...settings: Parameters<typeof openOutboundRoute>) {
  const route = await openOutboundRoute(...settings)
  opened.push(route)
  return route
}

const issuer = (answer: RequestListener) => listen(createServer(answer))

test('what is asked of the issuer is JSON under our own name', async () => {
  const asked: object[] = []
  const port = await issuer(async ({ method, url, headers }, response) => {
    const { 'content-type': type, accept, 'accept-encoding': encoding, originator, 'user-agent': agent } = headers
    asked.push({ method, url, type, accept, encoding, originator, agent, body: await text(response.req) })
    response.writeHead(400).end('no')
  })
  const route = await routeWith(DIRECT, log)
  const answer = await createTokenRequest(() => route)(`http://127.0.0.1:${port}/oauth/token?v=1`, { a: 'é' })
  expect(answer).toEqual({ status: 400, body: 'no' })
  expect(asked).toEqual([
    {
      method: 'POST',
      url: '/oauth/token?v=1',
      type: 'application/json',
      accept: 'application/json',
      encoding: 'identity',
      originator: 'codex-api-proxy',
      agent: userAgent(),
      body: '{"a":"é"}',
    },
  ])
})

test('an issuer that says nothing for a minute is given up, and named', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const port = await issuer(() => void vi.advanceTimersByTime(TOKEN_REQUEST_LIMIT_MS))
  const route = await routeWith(DIRECT, log)
  await expect(createTokenRequest(() => route)(`http://127.0.0.1:${port}/oauth/token`, {})).rejects.toMatchObject({
    code: 'upstream_timeout',
    message: `The token endpoint 127.0.0.1:${port} did not answer within 60 s.`,
  })
})

test('a limit for answers of models does not cut a slow issuer, whose answer would be lost', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const port = await issuer((_request, response) => {
    vi.advanceTimersByTime(TOKEN_REQUEST_LIMIT_MS - 2000)
    response.end('{"access_token":"new"}')
  })
  const route = await routeWith({ ...DIRECT, headerTimeout: 100 }, log)
  const answer = await createTokenRequest(() => route)(`http://127.0.0.1:${port}/oauth/token`, {})
  expect(answer).toEqual({ status: 200, body: '{"access_token":"new"}' })
})

test('an answer that came while the machine slept is taken', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const port = await issuer((_request, response) => {
    // Each timer that is due goes off once, before anything is read.
    vi.runOnlyPendingTimers()
    response.end('{"access_token":"new"}')
  })
  const route = await routeWith(DIRECT, log)
  const answer = await createTokenRequest(() => route)(`http://127.0.0.1:${port}/oauth/token`, {})
  expect(answer).toEqual({ status: 200, body: '{"access_token":"new"}' })
})

test('a default outbound proxy that has gone is left out the next time', async () => {
  const proxy = createTcpServer((socket) => socket.destroy())
  const implicitProxy = `http://127.0.0.1:${await listen(proxy)}`
  const route = await routeWith({ ...DIRECT, proxy: undefined }, log, { implicitProxy })
  const url = new URL('https://issuer.invalid/oauth/token')
  expect(route.describe(url)).toMatchObject({ inUse: true })

  proxy.close()
  await once(proxy, 'close')
  const failure = { message: expect.stringContaining(implicitProxy) }
  await expect(createTokenRequest(() => route)(url.href, {})).rejects.toMatchObject(failure)
  expect(route.describe(url)).toMatchObject({ inUse: false })
})
