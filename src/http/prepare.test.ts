import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { deferred } from '../../test/support/deferred.ts'
import type { CredentialStatus, Credentials } from '../credentials/credentials.ts'
import type { RouteContext } from '../routes/context.ts'
import type { LazyOutbound } from '../upstream/outbound/lazy-outbound.ts'
import { prepareSoon } from './prepare.ts'

const SOON_MS = 20
const BASE_URLS = { chatgptBaseUrl: 'https://chatgpt.example/codex', openaiBaseUrl: 'https://api.example/v1' }
const LOGIN: Credentials = { kind: 'chatgpt', accessToken: 'token', accountId: undefined, fedramp: false }

/** What the login of the machine is, and whether it can be used as it is. */
let status: Partial<CredentialStatus>
let ready: Credentials | undefined

const loadRoutes = vi.fn<() => Promise<void>>()
const getRoute = vi.fn()
const keepWarm = vi.fn<(origin: URL) => void>()
const peek = vi.fn()
const failed = vi.fn()
const logger = { warn: vi.fn(), error: vi.fn() }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  status = { kind: 'chatgpt' }
  ready = LOGIN
  loadRoutes.mockResolvedValue()
  getRoute.mockResolvedValue({ keepWarm })
})

afterEach(() => {
  vi.useRealTimers()
  vi.resetAllMocks()
})

function prepare(): () => void {
  const context = {
    config: BASE_URLS,
    credentials: { status: async () => status, ready: () => ready },
    catalogue: { peek },
    logger,
  }
  return prepareSoon(
    {
      context: context as unknown as RouteContext,
      outbound: { get: getRoute } as unknown as LazyOutbound,
      loadRoutes,
    },
    failed,
  )
}

const warmed = () => keepWarm.mock.calls.map(([{ href }]) => href)

test('whoever waits for the server to listen is answered first', async () => {
  prepare()
  vi.advanceTimersByTime(SOON_MS - 1)
  expect(loadRoutes).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(loadRoutes).toHaveBeenCalledOnce()
  await expect.poll(warmed).toHaveLength(1)
})

test('a ChatGPT login finds its connection made and its models asked for', async () => {
  prepare()
  vi.advanceTimersByTime(SOON_MS)
  await expect.poll(() => peek.mock.calls).toHaveLength(1)
  expect(warmed()).toEqual([BASE_URLS.chatgptBaseUrl])
  expect(logger.warn).not.toHaveBeenCalled()
})

test('an API key finds its connection made; nobody asks for models', async () => {
  status = { kind: 'api-key' }
  ready = { kind: 'api-key', apiKey: 'sk-made-up' }
  prepare()
  vi.advanceTimersByTime(SOON_MS)
  await expect.poll(warmed).toEqual([BASE_URLS.openaiBaseUrl])
  expect(peek).not.toHaveBeenCalled()
})

test('a login that has to be refreshed first is left alone until somebody asks', async () => {
  ready = undefined
  prepare()
  vi.advanceTimersByTime(SOON_MS)
  await expect.poll(warmed).toEqual([BASE_URLS.chatgptBaseUrl])
  expect(peek).not.toHaveBeenCalled()
})

test('without a login what is wrong is said at once, and nothing is connected', async () => {
  status = { kind: 'none', problem: { code: 'credentials_missing', message: 'There is none.', remedy: 'Sign in.' } }
  prepare()
  vi.advanceTimersByTime(SOON_MS)
  await expect
    .poll(() => logger.warn.mock.calls)
    .toEqual([[{ code: 'credentials_missing' }, 'There is none. Sign in.']])
  expect(warmed()).toEqual([])
})

test('a way to upstream that cannot be opened is logged, and costs nothing else', async () => {
  const error = new Error('broken certificate')
  getRoute.mockRejectedValue(error)
  prepare()
  vi.advanceTimersByTime(SOON_MS)
  await expect.poll(() => logger.error.mock.calls).toEqual([[{ err: error }, 'connecting ahead failed']])
  expect(failed).not.toHaveBeenCalled()
})

test('a part of the program that cannot be loaded ends it', async () => {
  const error = new Error('EMFILE')
  loadRoutes.mockRejectedValue(error)
  prepare()
  vi.advanceTimersByTime(SOON_MS)
  await expect.poll(() => failed.mock.calls).toHaveLength(1)
  expect(logger.error.mock.calls).toMatchObject([[{ err: error }, expect.stringContaining('stopping')]])
  expect(getRoute).not.toHaveBeenCalled()
})

test('a server that is stopped before loads nothing', () => {
  prepare()()
  vi.advanceTimersByTime(SOON_MS)
  expect(loadRoutes).not.toHaveBeenCalled()
})

test('a server that is stopped while it loads connects no more: that would hold the program', async () => {
  const loading = deferred()
  loadRoutes.mockReturnValue(loading.promise)
  const callOff = prepare()
  vi.advanceTimersByTime(SOON_MS)
  callOff()
  loading.resolve()
  await loading.promise
  await import('../upstream/outbound/outbound-route.ts')
  await new Promise((resolve) => setImmediate(resolve))
  expect(getRoute).not.toHaveBeenCalled()
})
