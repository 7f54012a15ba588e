import { expect, test } from 'vitest'
import type { ApiRequest } from '../routes/api-request.ts'
import { packageVersion } from '../version.ts'
import { tellingProcess } from './own-process.ts'

const health = tellingProcess(async () => ({ status: 200, body: { status: 'ok' } }))
// The route looks at nothing else of a request.
const from = (request: Pick<ApiRequest, 'authenticated'>) => request as ApiRequest

test('who has the client key learns which process of which version answers', async () => {
  expect(await health(from({ authenticated: true }))).toEqual({
    status: 200,
    body: { status: 'ok', pid: process.pid, version: packageVersion() },
  })
})

test('who has not learns nothing of it', async () => {
  expect(await health(from({ authenticated: false }))).toEqual({ status: 200, body: { status: 'ok' } })
})
