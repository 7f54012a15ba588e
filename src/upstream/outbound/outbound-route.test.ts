import { once } from 'node:events'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import {
  createServer,
  getDefaultAutoSelectFamilyAttemptTimeout,
  type Socket,
  setDefaultAutoSelectFamilyAttemptTimeout,
} from 'node:net'
import { request } from 'undici'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { freePort, listenOnLoopback } from '../../../test/support/loopback.ts'
import { openOutboundRoute } from './outbound-route.ts'

const log = { info() {}, warn() {} }

/** A log that notes what it is told, with the fields. */
function notingLog() {
  const told: { message: string | undefined; fields: object }[] = []
  return { told, log: { ...log, info: (fields: object, message?: string) => void told.push({ message, fields }) } }
}

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

/** Counts connections; `/slow` is answered when `finish` is called. */
async function answeringServer() {
  const slow: ServerResponse[] = []
  const server = createHttpServer((asked, answer) => {
    if (asked.url !== '/slow') {
      answer.end('hi')
      return
    }
    answer.flushHeaders()
    slow.push(answer)
  })
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  const origin = new URL(`http://127.0.0.1:${await listenOnLoopback(server)}`)
  return { origin, sockets, finish: () => slow.pop()?.end('late'), close: () => server.close() }
}

test('after a sleep no connection that was idle is used again, and what runs goes on', async () => {
  const { origin, sockets, finish, close } = await answeringServer()
  let changed = false
  const { told, log } = notingLog()
  const watch = { hasChanged: () => changed }
  const route = await openOutboundRoute({ proxy: 'none', noProxy: undefined, ...LIMITS }, log, { watch })
  const ask = async (path: string) => request(new URL(path, origin), { dispatcher: route.dispatcherFor(origin) })
  const slow = await ask('/slow')
  expect(await (await ask('/')).body.text()).toBe('hi')
  expect(sockets).toHaveLength(2)

  changed = true
  const [, idle] = sockets
  if (idle === undefined) throw new Error('There is no idle connection.')
  const idleClosed = once(idle, 'close')
  expect(await (await ask('/')).body.text()).toBe('hi')
  expect(sockets).toHaveLength(3)
  await idleClosed
  const message = 'the machine slept, or its network has changed: idle connections are not reused'
  expect(told).toEqual([{ message, fields: {} }])

  changed = false
  // undici knows only then that the connection is free.
  await new Promise(setImmediate)
  expect(await (await ask('/')).body.text()).toBe('hi')
  expect(sockets).toHaveLength(3)
  let isClosed = false
  const closing = route.close().then(() => {
    isClosed = true
  })
  // All others have ended.
  await expect.poll(() => sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(1)
  await new Promise(setImmediate)
  expect(isClosed).toBe(false)
  finish()
  expect(await slow.body.text()).toBe('late')
  await closing
  close()
})

test('after a sleep a tunnel that was idle is not used again either', async () => {
  const tunnels: Socket[] = []
  const server = createServer((socket) => {
    tunnels.push(socket)
    socket.on('data', (bytes) => {
      const isConnect = bytes.toString('latin1').startsWith('CONNECT')
      socket.write(`HTTP/1.1 200 OK\r\n${isConnect ? '' : 'content-length: 2\r\n'}\r\n${isConnect ? '' : 'hi'}`)
    })
  })
  const proxy = `http://127.0.0.1:${await listenOnLoopback(server)}`
  let changed = false
  const watch = { hasChanged: () => changed }
  const route = await openOutboundRoute({ proxy, noProxy: undefined, ...LIMITS }, log, { watch })
  const origin = new URL('http://issuer.example')
  const ask = async () => {
    const { body } = await request(origin, { dispatcher: route.dispatcherFor(origin) })
    expect(await body.text()).toBe('hi')
    // undici knows only then that the connection is free.
    await new Promise(setImmediate)
  }
  await ask()
  await ask()
  expect(tunnels).toHaveLength(1)
  changed = true
  await ask()
  expect(tunnels).toHaveLength(2)
  await route.close()
  for (const tunnel of tunnels) tunnel.destroy()
  server.close()
})

test.each([
  { told: 250, patience: 2_000 },
  { told: 5_000, patience: 5_000 },
])('of several addresses each has $patience ms to answer when Node is told $told', async ({ told, patience }) => {
  setDefaultAutoSelectFamilyAttemptTimeout(told)
  await (await openOutboundRoute({ proxy: 'none', noProxy: undefined, ...LIMITS }, log)).close()
  expect(getDefaultAutoSelectFamilyAttemptTimeout()).toBe(patience)
})

test('the log says where connections go: at the start, and each time the default proxy goes or comes', async () => {
  const { told, log } = notingLog()
  const server = createServer((socket) => socket.destroy())
  const port = await freePort()
  const listen = () => once(server.listen(port, '127.0.0.1'), 'listening')
  await listen()
  const implicitProxy = `http://127.0.0.1:${port}`
  const settings = { proxy: undefined, noProxy: 'intranet.example', ...LIMITS }
  const route = await openOutboundRoute(settings, log, { implicitProxy })
  const proxy = expect.stringContaining(implicitProxy)
  const through = {
    message: 'outbound connections go through a proxy',
    fields: { proxy, origin: 'implicit', except: 'intranet.example' },
  }
  const direct = { message: 'nothing listens at the default proxy: going direct', fields: { proxy } }
  expect(told).toEqual([through])
  server.close()
  await once(server, 'close')
  expect(await route.connectionFailed(new Error('refused'))).toBe(true)
  expect(told).toEqual([through, direct])
  expect(await route.connectionFailed(new Error('refused'))).toBe(false)
  expect(told).toEqual([through, direct])
  await listen()
  expect(await route.connectionFailed(new Error('refused'))).toBe(true)
  expect(told).toEqual([through, direct, through])
  await route.close()
  server.close()
})

test('the log says nothing of an outbound proxy where none is wanted, and names a given one without a look', async () => {
  const { told, log } = notingLog()
  await (await openOutboundRoute({ proxy: 'none', noProxy: undefined, ...LIMITS }, log)).close()
  expect(told).toEqual([])
  const proxy = 'socks5://127.0.0.1:1'
  await (await openOutboundRoute({ proxy, noProxy: undefined, ...LIMITS }, log)).close()
  expect(told).toMatchObject([{ fields: { proxy, origin: 'explicit' } }])
})
