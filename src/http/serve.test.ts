import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { loadConfig } from '../config/load.ts'
import { limitYoungGeneration } from '../runtime/young-generation.ts'
import { createLazyOutbound } from '../upstream/outbound/lazy-outbound.ts'
import { packageVersion } from '../version.ts'
import { composeServer } from './compose.ts'
import { followConnections } from './drain.ts'
import { prepareSoon } from './prepare.ts'
import { type ListeningServer, serve } from './serve.ts'

vi.mock(import('./compose.ts'), { spy: true })
vi.mock(import('./drain.ts'), { spy: true })
vi.mock(import('./prepare.ts'), { spy: true })
vi.mock(import('../runtime/young-generation.ts'), { spy: true })
vi.mock(import('../upstream/outbound/lazy-outbound.ts'), { spy: true })

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
  const [stopPreparing, releaseMemory] = [vi.fn(), vi.fn()]
  vi.mocked(prepareSoon).mockReturnValueOnce(stopPreparing)
  vi.mocked(limitYoungGeneration).mockReturnValueOnce(releaseMemory)
  const { drain } = await start()
  await drain()
  expect(stopPreparing).toHaveBeenCalledOnce()
  expect(releaseMemory).toHaveBeenCalledOnce()
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

test('a server has stopped when its answers have ended, and the list of models, a refresh and then the way to upstream are closed', async () => {
  const { drain } = await start()
  const closed: string[] = []
  const connections = vi.mocked(followConnections).mock.results.at(-1)?.value
  const { gently } = connections
  vi.spyOn(connections, 'gently').mockImplementation(async (...given) => {
    await gently(...given)
    closed.push('answers')
  })
  const context = vi.mocked(composeServer).mock.results.at(-1)?.value.context
  vi.spyOn(context.catalogue, 'close').mockImplementation(() => closed.push('models'))
  vi.spyOn(context.credentials, 'close').mockImplementation(async () => {
    await nextTurn()
    await nextTurn()
    closed.push('refresh')
  })
  const outbound = vi.mocked(createLazyOutbound).mock.results.at(-1)?.value
  vi.spyOn(outbound, 'close').mockImplementation(async () => {
    await nextTurn()
    closed.push('way')
  })
  await drain()
  expect(closed).toEqual(['answers', 'models', 'refresh', 'way'])
})
