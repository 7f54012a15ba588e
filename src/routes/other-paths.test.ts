import { expect, test } from 'vitest'
import type { ApiRequest } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { otherPathsRoute } from './other-paths.ts'

const context = { credentials: { current: () => ({ kind: 'chatgpt' }) } } as unknown as RouteContext

function asked(url: string, headers: ApiRequest['headers'] = {}) {
  return otherPathsRoute(context)({ method: 'POST', url, headers } as ApiRequest)
}

test('a ChatGPT login has no other path, which is named without its query', async () => {
  for (const upgrade of [undefined, 'h2c']) {
    await expect(asked('/v1/embeddings?user=me', { upgrade })).rejects.toMatchObject({
      code: 'api_key_required',
      message: expect.stringMatching(/^There is no POST \/v1\/embeddings with a ChatGPT login\./),
    })
  }
})

test.each(['websocket', 'WebSocket'])(
  'a %s is refused, with what is served instead (RFC 9110 §15.5.22)',
  async (upgrade) => {
    await expect(asked('/v1/realtime', { upgrade })).rejects.toMatchObject({
      code: 'websocket_unsupported',
      message: expect.stringMatching(/^WebSockets are not supported\./),
      headers: { upgrade: 'HTTP/1.1' },
    })
  },
)
