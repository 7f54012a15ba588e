import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { loadConfig } from '../config/load.ts'
import { packageVersion } from '../version.ts'
import { prepareSoon } from './prepare.ts'
import { type ListeningServer, serve } from './serve.ts'

vi.mock(import('./prepare.ts'), { spy: true })

let home: string
let server: ListeningServer | undefined
let lines: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'serve-'))
})

beforeEach(() => {
  server = undefined
  lines = ''
})

afterEach(async () => {
  await server?.close()
})

afterAll(async () => {
  await rm(home, { recursive: true })
})

/** On a free port of this machine, without a login. */
async function start(flags: Readonly<Record<string, string>> = {}): Promise<ListeningServer> {
  const bases = { home, cwd: home }
  const { config } = loadConfig({ flags: { port: '0', proxy: 'none', ...flags }, env: {}, saved: {}, bases })
  server = await serve(config, { write: (more) => (lines += more) })
  return server
}

const logged = () =>
  lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test('a server that listens has said so, with its address and version', async () => {
  const { url } = await start()
  expect(logged()).toMatchObject([{ level: 'info', msg: 'listening', url, version: packageVersion() }])
  expect((await fetch(`${url}/health`)).status).toBe(503)
})

test('a server at a loopback name listens where every client looks for that', async () => {
  const { url } = await start({ host: 'proxy.localhost' })
  expect((await fetch(`http://127.0.0.1:${new URL(url).port}/health`)).status).toBe(503)
})

test('prompts in the log are warned of', async () => {
  await start({ logLevel: 'debug' })
  expect(logged()).toMatchObject([{}, { level: 'warn', msg: 'log level debug records prompts and answers' }])
})

test('a port that is taken is the reason why it cannot listen', async () => {
  const other = createServer()
  const port = await listenOnLoopback(other)
  await expect(start({ port: String(port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  other.close()
})

test('a server stops once, however often it is told to, and leaves nothing behind', async () => {
  const listeners = process.listenerCount('exit')
  const { url, drain, close, finished } = await start()
  expect(process.listenerCount('exit')).toBe(listeners + 1)
  await Promise.all([drain(), drain(), close(), finished])
  await expect(fetch(url)).rejects.toThrow('fetch failed')
  expect(logged().map(({ msg }) => msg)).toEqual(['listening', 'stopping: running answers may finish', 'stopped'])
  expect(process.listenerCount('exit')).toBe(listeners)
})

test('a server that stops calls off what it was to prepare, and its limit of memory', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const disconnect = vi.spyOn(PerformanceObserver.prototype, 'disconnect')
  try {
    const { drain } = await start()
    expect([vi.getTimerCount(), disconnect.mock.calls.length]).toEqual([1, 0])
    await drain()
    expect([vi.getTimerCount(), disconnect.mock.calls.length]).toEqual([0, 1])
  } finally {
    vi.useRealTimers()
    disconnect.mockRestore()
  }
})

test('a server that can prepare nothing ends with 1, unless it was told to stop before', async () => {
  const failing = await start()
  failToPrepare()
  expect(await failing.finished).toBe(1)

  const stopped = await start()
  const drained = stopped.drain()
  failToPrepare()
  await drained
  expect(await stopped.finished).toBe(0)

  function failToPrepare(): void {
    vi.mocked(prepareSoon).mock.lastCall?.[1]()
  }
})
