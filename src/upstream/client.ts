import type { Cancellation } from '../cancellation.ts'
import type { CredentialSource, Credentials } from '../credentials/credentials.ts'
import { ProxyError, toError } from '../errors.ts'
import type { UpstreamAnswer } from './answer.ts'
import type { BodyMemory } from './body-memory.ts'
import type { LazyOutbound } from './outbound/lazy-outbound.ts'
import type { OutboundRoute } from './outbound/outbound-route.ts'
import { LONGEST_WAIT_MS, retryAfterMs, retryPause } from './retry-pause.ts'
import { headerList, type Target } from './target.ts'
import { exchange } from './transport.ts'

/** How often a request is sent again after a connection failure or an answer that asks for it. */
const RETRIES = 2
const FIRST_DELAY_MS = 200
/**
 * Answers that mean "not now". Those from 520 on come from the CDN, which could not reach upstream, or for 520 got
 * nothing usable back (docs/upstream.md 5.3); 524, like 504, comes after such a long wait that another would not help.
 */
const RETRYABLE_STATUS = new Set([502, 503, 520, 521, 522, 523, 525, 530])

export type UpstreamRequest = {
  readonly method: string
  /** Below the base URL of the target, with its query: `/responses`, `/models?client_version=…`. */
  readonly path: string
  /** The request's own headers; the target adds credentials and identity. */
  readonly headers: Readonly<Record<string, string>>
  /** In pieces, so that a large image is never copied. */
  readonly body?: readonly Buffer[]
  /** The memory behind the pieces of the body. */
  readonly memory?: BodyMemory
  /** The body may be sent compressed (request-compression.ts). */
  readonly compress?: boolean
  /** False: a failure is reported at once. */
  readonly retries?: boolean
  /** False: a 401 to it says nothing about other requests. */
  readonly tellsOfLogin?: boolean
  /** Called before each retry, for metrics. */
  readonly onRetry?: () => void
}

export type UpstreamClient = {
  /**
   * Sends with these credentials, or with those that replace them after a 401. Resolves with the answer's head,
   * whatever its status; throws a ProxyError that names the failure if there is none.
   */
  send(request: UpstreamRequest, credentials: Credentials, cancellation: Cancellation): Promise<UpstreamAnswer>
}

type Parts = {
  readonly credentials: CredentialSource
  readonly targetFor: (credentials: Credentials) => Target
  readonly outbound: LazyOutbound['get']
  /** Milliseconds that upstream may be silent within an answer. */
  readonly idleTimeout: number
  /** A number in [0, 1) for the jitter of delays. */
  readonly random: () => number
}

/** Recovers from a 401; what failed for another reason is sent again by `createSender`. */
export function createUpstreamClient(parts: Parts): UpstreamClient {
  const { credentials: source } = parts
  const send = createSender(parts)

  /**
   * After a 401: sends with what the file holds now, then with refreshed tokens (docs/upstream.md 2.4). Returns the 401
   * itself if nothing is left to try, since it says why.
   */
  async function sendRefreshed(
    request: UpstreamRequest,
    credentials: Credentials,
    cancellation: Cancellation,
    refused: UpstreamAnswer,
  ) {
    let answer = refused
    let rejected = credentials
    for (let step = 0; step < 2 && answer.status === 401 && rejected.kind === 'chatgpt'; step++) {
      const { body } = answer
      // A client that disconnects stops waiting, but a refresh in progress goes on: its token is spent either way.
      const replacement = await cancellation.race(source.replace(rejected, request.tellsOfLogin)).catch((error) => {
        if (isFinalRefusal(error)) return undefined
        body.abort()
        throw error
      })
      if (replacement === undefined) return answer
      body.abort()
      if (replacement.kind !== credentials.kind) throw loginChanged()
      answer = await send(request, replacement, cancellation)
      rejected = replacement
    }
    return answer
  }

  return {
    send: (request, credentials, cancellation) =>
      send(request, credentials, cancellation).then((answer) =>
        answer.status === 401 ? sendRefreshed(request, credentials, cancellation, answer) : answer,
      ),
  }
}

/** Sends again after a connection failure, and after an answer that means "not now". */
function createSender({ targetFor, outbound, idleTimeout, random }: Parts): UpstreamClient['send'] {
  function sendOnce(request: UpstreamRequest, target: Target, route: OutboundRoute, cancellation: Cancellation) {
    const wire = {
      origin: target.origin,
      method: request.method,
      path: target.basePath + request.path,
      headers: headerList(request.headers, target.headers),
      body: request.body,
      memory: request.memory,
      idleTimeout,
    }
    return exchange(route.dispatcherFor(target.url), wire, cancellation)
  }

  return async function sendWithRetries(request, credentials, cancellation) {
    const opened = outbound()
    // Awaits only if it has to wait.
    const route = opened instanceof Promise ? await opened : opened
    const target = targetFor(credentials)
    route.keepWarm(target.url)
    for (let attempt = 0; ; attempt++) {
      let wait = 0
      try {
        const answer = await sendOnce(request, target, route, cancellation)
        wait = waitAskedFor(answer)
        if (attempt === RETRIES || request.retries === false || wait > LONGEST_WAIT_MS) return answer
        answer.body.abort()
      } catch (error) {
        if (cancellation.reason !== undefined) throw error
        const failure = route.explain(toError(error), target.url)
        const otherWay = await route.connectionFailed(toError(error))
        // Only if no connection through the proxy was established: the proxy may have passed on whatever it got before
        // it failed.
        const isUnsent = otherWay && failure.code === 'outbound_proxy_failed'
        const unsafe = request.retries === false && !isUnsent
        if (attempt === RETRIES || unsafe || failure.code === 'upstream_timeout') throw failure
      }
      request.onRetry?.()
      await cancellation.delay(retryPause(FIRST_DELAY_MS, attempt, random(), wait))
    }
  }
}

/** Milliseconds until upstream wants to be asked again: Infinity if never. */
function waitAskedFor({ status, headers }: UpstreamAnswer): number {
  if (!RETRYABLE_STATUS.has(status) || headers['x-should-retry'] === 'false') return Number.POSITIVE_INFINITY
  return retryAfterMs(headers)
}

function isFinalRefusal(error: unknown): boolean {
  return error instanceof ProxyError && error.code === 'upstream_rejected_credentials'
}

/** The request was converted for the other kind of upstream; the next one will be converted for the new login. */
function loginChanged(): ProxyError {
  return new ProxyError('upstream_rejected_credentials', 'The login in auth.json changed while the request ran.')
}
