import { expect, onTestFinished, test, vi } from 'vitest'
import { serving } from '../../test/support/serving.ts'
import { isProxy, readHealth } from './health.ts'

test('a server is a proxy by what its health looks like', async () => {
  // On a busy machine an answer may come later than in the second that is waited for it.
  const limit = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(new AbortController().signal)
  onTestFinished(() => limit.mockRestore())
  const isProxyWith = async (health: object) =>
    await isProxy(await serving((_request, response) => response.end(JSON.stringify(health))))
  expect(await isProxyWith({ status: 'ok', mode: 'chatgpt' })).toBe(true)
  expect(await isProxyWith({ status: 'error', mode: 'none' })).toBe(true)
  expect(await isProxyWith({ status: 'ok', mode: 'fast' })).toBe(false)
  expect(await isProxyWith({ status: 'ok' })).toBe(false)
  expect(await isProxyWith({ status: 'up', mode: 'none' })).toBe(false)
})

test('times are read as milliseconds since the epoch, whichever way the server writes them', () => {
  const { login, limits } = readHealth({
    credentials: { expiresAt: '1970-01-01T00:00:07.000Z', lastRefresh: '1970-01-01T00:00:05.000Z' },
    rateLimits: { secondary: { usedPercent: 12, resetsAt: 9 } },
  })
  expect(login).toMatchObject({ expiresAt: 7000, lastRefresh: 5000 })
  expect(limits).toEqual([{ usedPercent: 12, windowMinutes: undefined, resetsAt: 9000 }])
})

test.each([
  [{ status: 1, mode: [], pid: '7', version: '', upstream: null }],
  [{ credentials: 'secret', outboundProxy: { state: 'starting' }, rateLimits: null }],
  [{ rateLimits: { primary: { usedPercent: '12' }, secondary: [] } }],
  [{ pid: -1 }],
  [{ pid: 0 }],
  [{ pid: 1.5 }],
])('what is not as expected is left out: %j', (json) => {
  expect(readHealth(json)).toEqual({
    status: undefined,
    mode: undefined,
    pid: undefined,
    version: undefined,
    upstream: undefined,
    login: undefined,
    outboundProxy: undefined,
    limits: [],
    json,
  })
})

test('a problem or warning without words is none', () => {
  const login = { problem: { remedy: 'Sign in.' }, warning: null, remedy: 'Sign in.' }
  expect(readHealth({ credentials: login }).login).toMatchObject({ problem: undefined, warning: undefined })
})

test('a time that is none is left out', () => {
  expect(readHealth({ credentials: { expiresAt: 'soon', lastRefresh: 7 } }).login).toMatchObject({
    expiresAt: undefined,
    lastRefresh: undefined,
  })
})
