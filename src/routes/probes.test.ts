import { expect, test } from 'vitest'
import type { CredentialStatus } from '../credentials/credentials.ts'
import { packageVersion } from '../version.ts'
import type { ApiRequest } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { healthRoute, metricsRoute } from './probes.ts'

const LIMITS = { plan: 'plus', noticedAt: 1 }
const NO_STORE = { 'cache-control': 'no-store' }
const PROCESS = { pid: process.pid, version: packageVersion() }

function contextOf(credentials: CredentialStatus, limits?: object): RouteContext {
  const context = {
    config: { chatgptBaseUrl: 'https://chatgpt.example/backend-api/codex', openaiBaseUrl: 'https://api.example/v1' },
    credentials: { status: async () => credentials },
    rateLimits: { last: () => limits },
    metrics: { snapshot: () => ({ requests_total: 1 }) },
  }
  return context as unknown as RouteContext
}

function health(credentials: CredentialStatus, { authenticated = true, limits }: Asked = {}) {
  const route = healthRoute(contextOf(credentials, limits), ({ host }) => ({ to: host }))
  // The route looks at nothing else of a request.
  return route({ authenticated } as ApiRequest)
}
type Asked = { authenticated?: boolean; limits?: object }

test('who has the client key learns which process of which version answers, and with what', async () => {
  const times = { expiresAt: Date.UTC(2026, 0, 2), lastRefresh: Date.UTC(2026, 0, 1) }
  expect(await health({ kind: 'chatgpt', file: 'auth.json', ...times }, { limits: LIMITS })).toStrictEqual({
    status: 200,
    headers: NO_STORE,
    body: {
      status: 'ok',
      mode: 'chatgpt',
      upstream: 'https://chatgpt.example/backend-api/codex',
      credentials: {
        kind: 'chatgpt',
        file: 'auth.json',
        expiresAt: '2026-01-02T00:00:00.000Z',
        lastRefresh: '2026-01-01T00:00:00.000Z',
      },
      outboundProxy: { to: 'chatgpt.example' },
      rateLimits: LIMITS,
      ...PROCESS,
    },
  })
})

test('limits that are not known yet are null, and an API key has none', async () => {
  expect(await health({ kind: 'chatgpt', file: 'auth.json' })).toMatchObject({ body: { rateLimits: null } })
  expect(await health({ kind: 'api-key', file: 'auth.json' }, { limits: LIMITS })).toStrictEqual({
    status: 200,
    headers: NO_STORE,
    body: {
      status: 'ok',
      mode: 'api-key',
      upstream: 'https://api.example/v1',
      credentials: { kind: 'api-key', file: 'auth.json' },
      outboundProxy: { to: 'api.example' },
      ...PROCESS,
    },
  })
})

test('who has not learns nothing but whether requests would be sent', async () => {
  const problem = { code: 'credentials_missing', message: 'No login.', remedy: 'Sign in.' } as const
  const asked = { authenticated: false }
  expect([
    await health({ kind: 'chatgpt', file: 'auth.json' }, asked),
    await health({ kind: 'none', file: 'auth.json', problem }, asked),
  ]).toStrictEqual([
    { status: 200, headers: NO_STORE, body: { status: 'ok', mode: 'chatgpt' } },
    { status: 503, headers: NO_STORE, body: { status: 'error', mode: 'none' } },
  ])
})

test.each([
  [LIMITS, LIMITS],
  [undefined, null],
])('the metrics have the limits of the account: %j', async (limits, told) => {
  expect(await metricsRoute(contextOf({ kind: 'none', file: 'auth.json' }, limits))({} as ApiRequest)).toStrictEqual({
    status: 200,
    headers: NO_STORE,
    body: { requests_total: 1, rate_limits: told },
  })
})
