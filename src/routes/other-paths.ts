import { ProxyError } from '../errors.ts'
import type { Route } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { forwardOr } from './forward.ts'

const POST_ONLY = new Set(['/v1/chat/completions', '/v1/responses'])

/** Any other `/v1/…` path: forwarded with an API key; the ChatGPT backend has none of them. */
export function otherPathsRoute(context: RouteContext): Route {
  const served = forwardOr(context, async ({ method, url }) => {
    const path = url.split('?', 1)[0] ?? ''
    if (POST_ONLY.has(path)) {
      throw new ProxyError('method_not_allowed', `${path} takes POST only.`, { headers: { allow: 'POST' } })
    }
    throw new ProxyError('api_key_required', `A ChatGPT login has no ${method} ${path}.`)
  })
  return async (request) => {
    if (request.headers.upgrade?.toLowerCase() === 'websocket') {
      throw new ProxyError('websocket_unsupported', 'WebSockets are not served here.', {
        headers: { upgrade: 'HTTP/1.1' },
      })
    }
    return served(request)
  }
}
