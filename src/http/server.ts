import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { Config } from '../config/options.ts'
import { errorBody, ProxyError, toApiError } from '../errors.ts'
import type { Answer, ApiRequest, Route } from '../routes/api-request.ts'
import type { Logger } from '../telemetry/logger.ts'
import { newRequestRecord } from '../telemetry/request-record.ts'
import type { Admission } from './admission.ts'
import { canonicalUrl } from './canonical-url.ts'
import { answerClientError } from './client-errors.ts'
import { requireJson } from './content-type.ts'
import type { Guard } from './guard.ts'
import type { Observer } from './observe.ts'
import { readBody, readRawBody } from './request-body.ts'
import { Visit } from './visit.ts'

export type RouteEntry = {
  readonly methods: readonly string[]
  readonly path: string
  /** API requests are counted, logged and admitted; probes answer always, with less to those without the client key. */
  readonly kind: 'api' | 'page' | 'probe'
  readonly handle: Route
}

export type ServerParts = {
  readonly config: Config
  readonly routes: readonly RouteEntry[]
  readonly guard: Guard
  readonly admission: Admission
  readonly observer: Observer
  readonly logger: Logger
  readonly tls: SecureContextOptions | undefined
  readonly newRequestId: () => string
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly isDraining: () => boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    visit: Visit | undefined
  }
  interface FastifyContextConfig {
    entry?: RouteEntry
  }
}

/** The HTTP server: who asks, is it safe, which route; and the one place where a thrown error becomes an answer. */
export function createServer(parts: ServerParts): FastifyInstance {
  const app = newApp(parts)
  app.decorateRequest('visit', undefined)
  // Bodies stay unread until a route wants them: as bytes, so that what is passed through is never recoded.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.addHook('onRequest', async (request, reply) => arrive(parts, request, reply))
  app.setNotFoundHandler(async (request) => {
    throw new ProxyError('not_found', `There is no ${request.method} ${pathOf(request.url)} here.`)
  })
  app.setErrorHandler((error, request, reply) => answerError(parts, error, request, reply))
  for (const entry of parts.routes) {
    app.route({
      method: [...entry.methods],
      url: entry.path,
      config: { entry },
      handler: async (request, reply) => respond(await entry.handle(apiRequest(parts, request, reply)), reply),
    })
  }
  return app
}

/** How long an idle connection is kept: longer than the pools of common clients, so that they close first. */
const KEEP_ALIVE_MS = 72_000

/** How often Node looks for requests that are too slow; by default so rarely that short limits mean nothing. */
const SLOW_REQUEST_CHECK_MS = 1000

function newApp(parts: ServerParts): FastifyInstance {
  const { config, tls, logger } = parts
  const limits = {
    maxHeaderSize: config.maxHeaders,
    requestTimeout: config.requestTimeout,
    headersTimeout: Math.min(config.requestTimeout, 60_000),
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: SLOW_REQUEST_CHECK_MS,
    // The guard says the same in the shape of every other error.
    requireHostHeader: false,
  }
  return fastify({
    serverFactory: (handler) =>
      tls === undefined ? createHttp(limits, handler) : createHttps({ ...limits, ...tls }, handler),
    bodyLimit: config.maxDecodedBody,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
    rewriteUrl: ({ url }) => canonicalUrl(url ?? '/'),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, logger),
    // A path the router can't read comes before any hook.
    frameworkErrors: (_error, request, reply) =>
      answerError(parts, new ProxyError('not_found', 'The path of the request is malformed.'), request, reply),
  })
}

async function arrive(
  parts: ServerParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const { entry } = request.routeOptions.config
  const kind = entry?.kind ?? 'page'
  const visit = new Visit(
    newRequestRecord(parts.newRequestId(), request.method, entry?.path ?? '-', parts.now()),
    reply.raw,
  )
  request.visit = visit
  if (kind === 'api') {
    parts.observer.started(visit.record)
    visit.onClose(() => parts.observer.finished(visit.record))
  }
  reply.header('x-request-id', visit.record.id)
  const { method, originalUrl: url, headers } = request
  const verdict = parts.guard.check({ method, url, headers }, { probe: kind === 'probe' })
  reply.headers(verdict.corsHeaders)
  visit.authenticated = verdict.authenticated
  if (verdict.preflight) return reply.code(204).send()
  if (kind !== 'api') return undefined
  if (parts.isDraining()) throw new ProxyError('draining', 'The proxy takes no new requests.')
  const leave = parts.admission.tryEnter() ?? (await parts.admission.enter(visit.signal))
  visit.onClose(leave)
  return undefined
}

function apiRequest(parts: ServerParts, request: FastifyRequest, reply: FastifyReply): ApiRequest {
  const { config } = parts
  const visit = visitOf(request)
  return {
    method: request.method,
    url: request.url,
    headers: request.headers,
    record: visit.record,
    signal: visit.signal,
    authenticated: visit.authenticated,
    jsonBody() {
      requireJson(request.headers)
      return readBody(request.raw, config)
    },
    rawBody: () => readRawBody(request.raw, config),
    takeOver() {
      reply.hijack()
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value)
      return reply.raw
    },
  }
}

function respond(answer: Answer | undefined, reply: FastifyReply): FastifyReply {
  if (answer === undefined) return reply
  const { status, headers = {}, body } = answer
  return reply.code(status).headers(headers).send(body)
}

function answerError(parts: ServerParts, thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toApiError(fromFastify(thrown))
  const { visit } = request
  if (visit !== undefined && error.code !== null) visit.record.code = error.code
  if (error.code === 'internal_error' && visit?.signal.aborted !== true) {
    parts.logger.error({ requestId: visit?.record.id, err: error.cause }, 'unexpected failure')
  }
  // What was not read of a refused body must not be taken for the next request.
  if (!request.raw.complete) reply.header('connection', 'close')
  return reply.code(error.status).headers(error.headers).send(errorBody(error))
}

/** Fastify's own refusals (https://fastify.dev/docs/latest/Reference/Errors/), which are about the shape of a request. */
function fromFastify(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error
  if (!error.code.startsWith('FST_ERR_') || !('statusCode' in error) || Number(error.statusCode) >= 500) return error
  return new ProxyError('invalid_body', 'The request is malformed.', { cause: error })
}

function visitOf({ visit }: FastifyRequest): Visit {
  if (visit === undefined) throw new Error('A route ran before the first hook.')
  return visit
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url
}
