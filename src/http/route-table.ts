import { chatCompletionsRoute } from '../routes/chat-completions.ts'
import type { RouteContext } from '../routes/context.ts'
import { modelsRoute } from '../routes/models.ts'
import { otherPathsRoute } from '../routes/other-paths.ts'
import { healthRoute, metricsRoute } from '../routes/probes.ts'
import { responsesRoute } from '../routes/responses.ts'
import type { RouteEntry } from './server.ts'

const ALL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Every path this server knows; `canonicalUrl` has brought the variants people type to these. */
export function routeTable(context: RouteContext, describeOutbound: () => object): RouteEntry[] {
  const health = healthRoute(context, describeOutbound)
  const models = modelsRoute(context)
  return [
    { methods: ['POST'], path: '/v1/chat/completions', kind: 'api', handle: chatCompletionsRoute(context) },
    { methods: ['POST'], path: '/v1/responses', kind: 'api', handle: responsesRoute(context) },
    { methods: ['GET'], path: '/v1/models', kind: 'api', handle: models },
    { methods: ['GET'], path: '/v1/models/*', kind: 'api', handle: models },
    { methods: ALL_METHODS, path: '/v1/*', kind: 'api', handle: otherPathsRoute(context) },
    { methods: ['GET'], path: '/health', kind: 'probe', handle: health },
    { methods: ['GET'], path: '/ready', kind: 'probe', handle: health },
    { methods: ['GET'], path: '/metrics', kind: 'page', handle: metricsRoute(context) },
  ]
}
