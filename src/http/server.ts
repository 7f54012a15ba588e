import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import type { Cancellation } from '../cancellation.ts'
import type { Config } from '../config/options.ts'
import { ProxyError, toApiError } from '../errors.ts'
import { type Answer, pathOf } from '../routes/api-request.ts'
import { createServer as createHttp } from '../runtime/node-http.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { RequestLog } from '../telemetry/request-log.ts'
import { newRequestRecord } from '../telemetry/request-record.ts'
import type { Admission } from './admission.ts'
import { canonicalUrl } from './canonical-url.ts'
import { answerClientError, refuseTunnel } from './client-errors.ts'
import type { Guard } from './guard.ts'
import { HttpExchange } from './http-exchange.ts'
import { isClosing } from './linger.ts'
import { createRouter, type RouteEntry, type Router } from './router.ts'

type ServerParts = {
  readonly config: Config
  readonly routes: readonly RouteEntry[]
  readonly guard: Guard
  readonly admission: Admission
  /** Counts API requests when they arrive and when their connection is done with them. */
  readonly metrics: Metrics
  /** Writes the one line of each API request, at its end. */
  readonly requestLog: RequestLog
  readonly logger: Logger
  readonly tls: SecureContextOptions | undefined
  /** The work of all requests that run is cancelled with it. */
  readonly running: Cancellation
  readonly newRequestId: () => string
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly isDraining: () => boolean
}

/**
 * How long an idle connection is kept: longer than in the pools of common clients, so that they close first. Those of
 * Rust (Codex) and Go (cloudflared, Tailscale) keep theirs for 90 seconds, Caddy for two minutes, and none honours
 * `Keep-Alive`.
 */
const KEEP_ALIVE_MS = 125_000

/** How often Node checks for slow requests; its default is so rare that short limits would mean nothing. */
const SLOW_REQUEST_CHECK_MS = 1000

/** The HTTP server: who asks, is it safe, which route; and the one place where a thrown error becomes an answer. */
export function createServer(parts: ServerParts): Server {
  const { config, tls, logger } = parts
  const router = createRouter(parts.routes)
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    if (isClosing(request.socket)) return
    if (response.socket === null) {
      waitForTurn(request.socket, response, () => listener(request, response))
      return
    }
    answerRequest(parts, router, request, response).catch((error: unknown) => {
      // Even the error could not be sent: that ends the connection, not the program.
      logger.error({ err: error }, 'unexpected failure')
      response.destroy()
    })
  }
  const limits = {
    maxHeaderSize: config.maxHeaders,
    requestTimeout: config.requestTimeout,
    headersTimeout: Math.min(config.requestTimeout, 60_000),
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: SLOW_REQUEST_CHECK_MS,
    // The guard refuses such requests too, in the shape of every other error.
    requireHostHeader: false,
  }
  // Node's own limit for the handshake is two minutes, whatever a request may take.
  const secure = { ...limits, ...tls, handshakeTimeout: limits.headersTimeout }
  const server = tls === undefined ? createHttp(limits, listener) : createHttps(secure, listener)
  // RFC 9110 §10.1.1 allows serving it. Node's own refusal would have no body that an API client can read.
  server.on('checkExpectation', (...visitors) => server.emit('request', ...visitors))
  // Failed TLS handshakes end up here too; sockets of both kinds are Sockets of net.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerClientError(error, socket as Socket, logger))
  server.on('connect', (_request, socket) => refuseTunnel(socket as Socket, logger))
  return server
}

/** More requests than any client pipelines; each one that waits takes 2 KB for some 40 bytes sent. */
const MOST_AHEAD = 100

/** How many pipelined requests of each connection wait. */
const waiting = new WeakMap<Socket, number>()

/**
 * A pipelined request gets its connection once the answers before it have been sent. Until then it would not learn that
 * its client has disconnected (Node ties `close` to the connection), and its client would be taken for one that does
 * not read. Its body waits too, no longer than any body may take. A client that pipelines too many is cut off: they
 * can't be refused before their turn, and if we stopped reading we would not notice that the client disconnects.
 */
function waitForTurn(socket: Socket, response: ServerResponse, begin: () => void): void {
  const ahead = (waiting.get(socket) ?? 0) + 1
  waiting.set(socket, ahead)
  if (ahead > MOST_AHEAD) {
    socket.destroy()
    return
  }
  response.once('socket', () => {
    waiting.set(socket, (waiting.get(socket) ?? 0) - 1)
    // Ends the reading limit of the previous answer.
    socket.setTimeout(0)
    begin()
  })
}

/** Answers one request; a failure becomes an answer too. */
async function answerRequest(
  parts: ServerParts,
  router: Router,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url: sentUrl = '/' } = request
  const url = canonicalUrl(sentUrl)
  const path = pathOf(url)
  const entry = router.find(method, path)
  const record = newRequestRecord(parts.newRequestId(), method, entry?.path ?? '-', parts.now())
  const exchange = new HttpExchange(request, response, { record, url, limits: parts.config })
  try {
    const preflight = arrive(parts, request, exchange, entry)
    if (preflight !== undefined) return exchange.answer(preflight)
    if (entry === undefined) throw router.refusal(method, path)
    if (entry.kind === 'api') {
      const place = admit(parts, exchange)
      // Awaits only where it has to wait.
      exchange.onClose(place instanceof Promise ? await place : place)
    }
    const answer = await entry.handle(exchange)
    if (answer !== undefined) exchange.answer(answer)
  } catch (thrown) {
    const reason = isUnserved(thrown) ? router.refusal(method, path, thrown) : thrown
    answerFailure(parts, reason, exchange)
  }
}

/** Counts the request and lets the guard look at it. Returns the answer to a preflight, which goes no further. */
function arrive(
  parts: ServerParts,
  request: IncomingMessage,
  exchange: HttpExchange,
  entry: RouteEntry | undefined,
): Answer | undefined {
  const { record } = exchange
  if (entry?.kind === 'api') {
    parts.metrics.requestStarted()
    parts.running.add(exchange.cancellation)
    exchange.onClose(() => {
      parts.running.remove(exchange.cancellation)
      parts.metrics.requestFinished(record)
      parts.requestLog(record, parts.now())
    })
  }
  const verdict = parts.guard.check(request, { probe: entry?.kind === 'probe' })
  exchange.setHeaders(verdict.corsHeaders)
  exchange.authenticated = verdict.authenticated
  return verdict.preflight ? { status: 204, body: '' } : undefined
}

function admit({ isDraining, admission }: ServerParts, { cancellation }: HttpExchange): ReturnType<Admission['enter']> {
  if (isDraining()) throw new ProxyError('draining', 'The proxy accepts no new requests.')
  return admission.enter(cancellation)
}

/** A ChatGPT login does not have this call. Whether the path exists with another method is for the router to say. */
function isUnserved(thrown: unknown): thrown is ProxyError {
  return thrown instanceof ProxyError && thrown.code === 'api_key_required'
}

function answerFailure({ logger }: ServerParts, thrown: unknown, exchange: HttpExchange): void {
  const error = toApiError(thrown)
  if (error instanceof ProxyError && error.status === 500 && exchange.cancellation.reason === undefined) {
    logger.error({ requestId: exchange.record.id, err: error.cause }, 'unexpected failure')
  }
  if (error.code === 'host_not_allowed' || error.code === 'origin_not_allowed') exchange.record.refusal = error.message
  exchange.fail(error)
}
