import { ProxyError } from '../errors.ts'
import { pathOf, type Route } from './api-request.ts'
import type { RouteContext } from './context.ts'
import { forwardOr } from './forward.ts'

/** Any other call of `/v1/…`: forwarded with an API key; the ChatGPT backend has none of them. */
export function otherPathsRoute(context: RouteContext): Route {
  const served = forwardOr(context, async (_context, { method, url }) => {
    throw new ProxyError('api_key_required', `There is no ${method} ${pathOf(url)} with a ChatGPT login.`)
  })
  return async (request) => {
    if (request.headers.upgrade?.toLowerCase() === 'websocket') {
      throw new ProxyError('websocket_unsupported', 'WebSockets are not supported.', {
        headers: { upgrade: 'HTTP/1.1' },
      })
    }
    return served(request)
  }
}
