import { once } from 'node:events'
import { Agent, createServer, get, type Server } from 'node:http'
import { createServer as createHttps, get as getHttps, Agent as HttpsAgent } from 'node:https'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { expect, onTestFinished, test, vi } from 'vitest'
import { selfSignedCertificate } from '../../test/support/certificate.ts'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { Cancellation, ProxyStopped } from '../cancellation.ts'
import { closeParts, type Drain, followConnections } from './drain.ts'

const certificate = selfSignedCertificate()
const ONE_HOUR = 3_600_000
const silent = { warn: (_fields: object, _message: string) => {} }

type Listening = { readonly port: number; readonly drain: Drain; readonly running: Cancellation }

async function listening(server: Server): Promise<Listening> {
  const running = new Cancellation()
  const drain = followConnections(server, running)
  return { port: await listenOnLoopback(server), drain, running }
}

/** Resolves when a server that is being drained has looked for connections that are idle, or were never used. */
function swept(server: Server): Promise<void> {
  const closeIdle = server.closeIdleConnections.bind(server)
  return new Promise((resolve) => {
    vi.spyOn(server, 'closeIdleConnections').mockImplementation(() => {
      closeIdle()
      resolve()
    })
  })
}

test.each([
  ['HTTP', () => createServer(), connect],
  [
    'HTTPS',
    () => createHttps(certificate),
    (port: number, host: string) => connectTls({ port, host, ca: certificate.cert }),
  ],
  ['HTTPS, without a handshake,', () => createHttps(certificate), connect],
])('over %s a connection that never carried a request does not hold up the end', async (_kind, create, open) => {
  const server = create()
  const { port, drain } = await listening(server)
  const accepted = once(server, open === connect ? 'connection' : 'secureConnection')
  const unused = open(port, '127.0.0.1')
  await accepted
  await Promise.all([drain.gently(ONE_HOUR, silent), once(unused, 'close')])
})

test('connections are told apart by the host and the port they come from', async () => {
  const server = createServer()
  const { port, drain } = await listening(server)
  const open = async (localAddress: string, localPort = 0) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, localPort })
    await once(server, 'connection')
    return socket
  }
  const one = await open('127.0.0.1')
  const others = [await open('127.0.0.1'), await open('127.0.0.2', one.localPort)]
  await Promise.all([drain.gently(ONE_HOUR, silent), ...[one, ...others].map((socket) => once(socket, 'close'))])
})

test('a client that came again from the same port before its former connection ended does not hold up the end', async () => {
  const server = createServer()
  server.on('connection', (socket) => Object.defineProperty(socket, 'remotePort', { value: 1 }))
  const { port, drain } = await listening(server)
  const open = async () => {
    const client = connect(port, '127.0.0.1')
    const [socket] = await once(server, 'connection')
    return { client, socket }
  }
  const former = await open()
  const unused = await open()
  former.client.destroy()
  await once(former.socket, 'close')
  await Promise.all([drain.gently(ONE_HOUR, silent), once(unused.client, 'close')])
})

test('a connection that closed without a request is held no longer', async () => {
  const server = createServer()
  const { port, drain } = await listening(server)
  const accepted = once(server, 'connection')
  const unused = connect(port, '127.0.0.1')
  const [socket] = await accepted
  unused.destroy()
  await once(socket, 'close')
  const destroy = vi.spyOn(socket, 'destroy')

  get({ port, host: '127.0.0.1', agent: false }, (response) => response.resume())
  const [, response] = await once(server, 'request')
  const drained = drain.gently(ONE_HOUR, silent)
  await swept(server)
  response.end()
  await drained
  expect(destroy).not.toHaveBeenCalled()
})

const KINDS = [
  { kind: 'HTTP', create: () => createServer(), get, Agent },
  { kind: 'HTTPS', create: () => createHttps(certificate), get: getHttps, Agent: HttpsAgent },
]

test.each(KINDS)(
  'over $kind an answer that is running finishes, then its kept-alive connection is closed',
  async (by) => {
    const server = by.create()
    const { port, drain } = await listening(server)
    const agent = new by.Agent({ keepAlive: true, ca: certificate.cert })
    const answered = new Promise<string>((resolve, reject) => {
      by.get({ port, host: '127.0.0.1', agent }, (response) => resolve(text(response))).on('error', reject)
    })
    const [, response] = await once(server, 'request')
    const drained = drain.gently(ONE_HOUR, silent)
    await swept(server)
    response.end('whole')
    expect(await answered).toBe('whole')
    await drained
    agent.destroy()
  },
)

test('after the deadline what still runs is ended, then cut, and that is logged', async () => {
  const server = createServer()
  const { port, drain, running } = await listening(server)
  const requested = once(server, 'request')
  const cut = once(get({ port, host: '127.0.0.1' }), 'error')
  await requested
  const warnings: object[] = []
  await drain.gently(1, { warn: (fields, message) => void warnings.push({ ...fields, message }) })
  await cut
  expect(running.reason).toBeInstanceOf(ProxyStopped)
  expect(warnings).toEqual([{ deadlineMs: 1, message: 'ending the answers that are still running' }])
})

test('a server that was drained leaves no timer behind, which would hold the program', async () => {
  // Those of the drain alone: in this process others come and go meanwhile.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { drain } = await listening(createServer())
  const drained = drain.gently(ONE_HOUR, silent)
  expect(vi.getTimerCount()).toBe(2)
  await drained
  expect(vi.getTimerCount()).toBe(0)
})

test('answers end first, then the list of models, a refresh and the way to upstream, one after the other', async () => {
  const closed: string[] = []
  const after = (turns: number, what: string) => async () => {
    for (let turn = 0; turn < turns; turn++) await nextTurn()
    closed.push(what)
  }
  const limits: number[] = []
  const parts = {
    connections: {
      async gently(limit: number) {
        limits.push(limit)
        await after(3, 'answers')()
      },
    },
    catalogue: { close: () => closed.push('models') },
    credentials: { close: after(2, 'refresh') },
    outbound: { close: after(1, 'way') },
    logger: silent,
  }
  await closeParts(parts, 30_000)
  expect(limits).toEqual([30_000])
  expect(closed).toEqual(['answers', 'models', 'refresh', 'way'])
})
