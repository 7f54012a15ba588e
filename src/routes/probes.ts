import type { CredentialStatus } from '../credentials/credentials.ts'
import { baseUrlFor } from '../upstream/target.ts'
import { packageVersion } from '../version.ts'
import type { Answer, Route } from './api-request.ts'
import type { RouteContext } from './context.ts'

/** `GET /health` and `GET /ready`: 200 when a request would be sent upstream, 503 with the reason when not. */
export function healthRoute(context: RouteContext, describeOutbound: (upstream: URL) => object): Route {
  // Useful since run files may be lost, and an upgrade does not change the running process.
  const own = { pid: process.pid, version: packageVersion() }
  return async (request) => {
    const credentials = await context.credentials.status()
    const healthy = credentials.problem === undefined
    const brief = { status: healthy ? 'ok' : 'error', mode: credentials.kind }
    const status = healthy ? 200 : 503
    // A probe without the client key learns that we run, but nothing about the account.
    if (!request.authenticated) return noStore(status, brief)
    const upstream = baseUrlFor(credentials.kind, context.config)
    return noStore(status, {
      ...brief,
      upstream,
      credentials: withReadableTimes(credentials),
      outboundProxy: describeOutbound(new URL(upstream)),
      ...(credentials.kind === 'chatgpt' && { rateLimits: context.rateLimits.last() ?? null }),
      ...own,
    })
  }
}

export function metricsRoute(context: RouteContext): Route {
  return async () => noStore(200, { ...context.metrics.snapshot(), rate_limits: context.rateLimits.last() ?? null })
}

function noStore(status: number, body: object): Answer {
  return { status, headers: { 'cache-control': 'no-store' }, body }
}

function withReadableTimes({ expiresAt, lastRefresh, ...rest }: CredentialStatus): object {
  return {
    ...rest,
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
    ...(lastRefresh !== undefined && { lastRefresh: new Date(lastRefresh).toISOString() }),
  }
}
