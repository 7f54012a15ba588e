import { ProxyError } from '../errors.ts'
import type { Route } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { forward } from './forward.ts'

const POST_ONLY = new Set(['/v1/chat/completions', '/v1/responses'])

/** Any other `/v1/…` path: forwarded with an API key; the ChatGPT backend has none of them. */
export function otherPathsRoute(context: RouteContext): Route {
  return async (request) => {
    const path = request.url.split('?', 1)[0] ?? ''
    if (request.headers.upgrade?.toLowerCase() === 'websocket') {
      throw new ProxyError('websocket_unsupported', 'WebSockets are not served here.', {
        headers: { upgrade: 'TLS/1.2' },
      })
    }
    const credentials = await context.credentials.current()
    if (credentials.kind === 'api-key') return forward(context, request, credentials)
    if (POST_ONLY.has(path)) {
      throw new ProxyError('method_not_allowed', `${path} takes POST only.`, { headers: { allow: 'POST' } })
    }
    throw new ProxyError('api_key_required', `A ChatGPT login has no ${request.method} ${path}.`)
  }
}
