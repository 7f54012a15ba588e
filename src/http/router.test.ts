import { expect, test } from 'vitest'
import { createRouter, type RouteEntry } from './router.ts'

const entry = (methods: string[], path: string): RouteEntry => ({
  methods,
  path,
  kind: 'api',
  handle: async () => undefined,
})
const router = createRouter([
  entry(['POST'], '/v1/responses'),
  entry(['GET'], '/v1/models'),
  entry(['GET'], '/v1/models/*'),
  entry(['GET', 'POST'], '/v1/*'),
  entry(['GET', 'HEAD'], '/health'),
])

test.each([
  ['POST', '/v1/responses', '/v1/responses'],
  ['POST', '/v1/responses/', '/v1/responses'],
  ['GET', '/v1/responses', '/v1/*'],
  ['GET', '/v1/models', '/v1/models'],
  ['GET', '/v1/models/openai/gpt-5.5', '/v1/models/*'],
  ['POST', '/v1/models/x', '/v1/*'],
  ['HEAD', '/health', '/health'],
  ['DELETE', '/v1/files', undefined],
  ['GET', '/', undefined],
  ['GET', '/healthy', undefined],
])('case 20: %s %s is served by %s', (method, path, served) => {
  expect(router.find(method, path)?.path).toBe(served)
})

test('a path that is there for other methods names them; any other is not found', () => {
  expect(router.refusal('POST', '/health')).toMatchObject({
    code: 'method_not_allowed',
    headers: { allow: 'GET, HEAD' },
  })
  expect(router.refusal('GET', '/x')).toMatchObject({ code: 'not_found', status: 404 })
})
