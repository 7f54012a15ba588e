import type { Route } from '../routes/api-request.ts'
import type { ApiRoutes } from '../routes/api-routes.ts'
import type { RouteContext } from '../routes/context.ts'
import { healthRoute, metricsRoute } from '../routes/probes.ts'
import type { RouteEntry } from './router.ts'

const ALL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const READ = ['GET', 'HEAD']

type RouteTable = {
  readonly entries: readonly RouteEntry[]
  /** Loads what API requests need, which the first of them would do otherwise. */
  readonly load: () => Promise<void>
}

/** Every path this server knows, in the form that `canonicalUrl` makes of the variants people type. */
export function createRouteTable(context: RouteContext, describeOutbound: (upstream: URL) => object): RouteTable {
  const health = healthRoute(context, describeOutbound)
  const { load, route } = lazyApiRoutes(context)
  const models = route('models')
  const images = route('images')
  return {
    load,
    entries: [
      { methods: ['POST'], path: '/v1/chat/completions', kind: 'api', handle: route('chatCompletions') },
      { methods: ['POST'], path: '/v1/responses', kind: 'api', handle: route('responses') },
      { methods: ['POST'], path: '/v1/responses/compact', kind: 'api', handle: route('compact') },
      { methods: READ, path: '/v1/models', kind: 'api', handle: models },
      { methods: READ, path: '/v1/models/*', kind: 'api', handle: models },
      { methods: ['POST'], path: '/v1/images/generations', kind: 'api', handle: images },
      { methods: ['POST'], path: '/v1/images/edits', kind: 'api', handle: images },
      { methods: ['POST'], path: '/v1/alpha/search', kind: 'api', handle: route('backendPaths') },
      { methods: ALL_METHODS, path: '/v1/*', kind: 'api', handle: route('otherPaths'), fallback: true },
      { methods: READ, path: '/health', kind: 'probe', handle: health },
      { methods: READ, path: '/ready', kind: 'probe', handle: health },
      { methods: READ, path: '/metrics', kind: 'metrics', handle: metricsRoute(context) },
    ],
  }
}

/** The converters are most of the program: they are loaded once the server listens (docs/performance.md). */
function lazyApiRoutes(context: RouteContext): { load: () => Promise<void>; route: (name: keyof ApiRoutes) => Route } {
  let loaded: ApiRoutes | undefined
  async function load(): Promise<ApiRoutes> {
    const { apiRoutes } = await import('../routes/api-routes.ts')
    loaded ??= apiRoutes(context)
    return loaded
  }
  return {
    async load() {
      await load()
    },
    route: (name) => (request) =>
      loaded === undefined ? load().then((routes) => routes[name](request)) : loaded[name](request),
  }
}
