import { expect, test } from 'vitest'
import { ProxyError } from '../errors.ts'
import { createRouter, type RouteEntry } from './router.ts'

const entry = (methods: string[], path: string, more: Partial<RouteEntry> = {}): RouteEntry => ({
  methods,
  path,
  kind: 'api',
  handle: async () => undefined,
  ...more,
})
const router = createRouter([
  entry(['POST'], '/v1/responses'),
  entry(['GET'], '/v1/models'),
  entry(['GET'], '/v1/models/*'),
  entry(['GET', 'POST'], '/v1/*', { fallback: true }),
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
  ['GET', '/v1/modelsx', '/v1/*'],
  ['GET', '/v1files', undefined],
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

test.each([
  ['PUT', '/v1/responses', 'method_not_allowed', 'POST'],
  ['PUT', '/v1/models/', 'method_not_allowed', 'GET'],
  ['PUT', '/v1/models/acme/x', 'method_not_allowed', 'GET'],
  ['TRACE', '/v1/files', 'method_not_allowed', 'GET, POST'],
])('what the fallback takes does not count as a method of another path: %s %s', (method, path, code, allow) => {
  expect(router.refusal(method, path)).toMatchObject({ code, headers: { allow } })
})

test('what the fallback does not serve is refused for its method when the path is known, else as the fallback says', () => {
  const unserved = new ProxyError('api_key_required', 'No.')
  expect(router.refusal('POST', '/v1/models', unserved)).toMatchObject({ status: 405, headers: { allow: 'GET' } })
  expect(router.refusal('POST', '/v1/files', unserved)).toBe(unserved)
  expect(router.refusal('POST', '/v1/health', unserved)).toBe(unserved)
})

test.each(['/v1/responses/responses', '/v1/models/responses/', '/v1/x/models'])(
  'what the fallback does not serve and ends like a call is not found, as its base URL is wrong: %s',
  (path) => {
    const unserved = new ProxyError('api_key_required', 'No.')
    expect(router.refusal('POST', path, unserved)).toMatchObject({ code: 'not_found', status: 404 })
  },
)

test('a refusal repeats the path, but no more than the beginning of a long one', () => {
  expect(router.refusal('GET', '/nowhere').message).toContain('GET /nowhere here')
  const long = (length: number) => router.refusal('GET', `/${'x'.repeat(length - 1)}`).message
  expect(long(200)).toContain(`/${'x'.repeat(199)} here`)
  expect(long(201)).toContain(`/${'x'.repeat(199)}… here`)
})
