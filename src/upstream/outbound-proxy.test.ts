import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { request } from 'undici'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { openOutboundRoute } from './outbound-proxy.ts'

const log = { info() {}, warn() {} }
const LIMITS = { connectTimeout: 100_000, headerTimeout: 100_000 }

// No patience ends: what is waited for now is waited for without end.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('closing does not wait for a connection that is being made', async () => {
  const server = createServer()
  const port = await listenOnLoopback(server)
  const route = await openOutboundRoute({ proxy: 'none', noProxy: undefined, ...LIMITS }, log)
  const origin = new URL(`https://127.0.0.1:${port}`)
  const asked = request(origin, { dispatcher: route.dispatcherFor(origin) }).catch((error: unknown) => error)
  // It never answers the TLS handshake.
  const [socket] = (await once(server, 'connection')) as [Socket]
  await route.close()
  expect(await asked).toMatchObject({ message: 'The proxy is stopping.' })
  socket.destroy()
  server.close()
})

test('closing waits for what runs through a proxy: a refresh in flight has spent its token', async () => {
  const server = createServer((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
  })
  const proxy = `http://127.0.0.1:${await listenOnLoopback(server)}`
  const route = await openOutboundRoute({ proxy, noProxy: undefined, ...LIMITS }, log)
  const origin = new URL('http://issuer.example')
  const asked = request(origin, { dispatcher: route.dispatcherFor(origin) })
  const [tunnel] = (await once(server, 'connection')) as [Socket]
  await once(tunnel, 'data')
  await once(tunnel, 'data')
  let isClosed = false
  const closing = route.close().then(() => {
    isClosed = true
  })
  await new Promise(setImmediate)
  expect(isClosed).toBe(false)
  tunnel.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi')
  expect(await (await asked).body.text()).toBe('hi')
  await closing
  tunnel.destroy()
  server.close()
})
