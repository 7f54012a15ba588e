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
