import { expect, test } from 'vitest'
import { packageVersion } from '../version.ts'
import type { ApiRequest } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { healthRoute } from './probes.ts'

const context = {
  config: { chatgptBaseUrl: 'https://chatgpt.example/backend-api/codex' },
  credentials: { status: async () => ({ kind: 'none', file: 'auth.json' }) },
} as unknown as RouteContext
const health = healthRoute(context, () => ({}))
// The route looks at nothing else of a request.
const from = (request: Pick<ApiRequest, 'authenticated'>) => request as ApiRequest

test('who has the client key learns which process of which version answers', async () => {
  expect(await health(from({ authenticated: true }))).toMatchObject({
    status: 200,
    body: { status: 'ok', pid: process.pid, version: packageVersion() },
  })
})

test('who has not learns nothing of it', async () => {
  const answer = await health(from({ authenticated: false }))
  expect([answer?.status, answer?.body]).toEqual([200, { status: 'ok', mode: 'none' }])
})
