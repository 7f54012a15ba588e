import { blockedError, isHtml } from '../../blocked.ts'
import type { Cancellation } from '../../cancellation.ts'
import { ApiError, toApiError } from '../../errors.ts'
import type { UpstreamAnswer } from '../../upstream/answer.ts'
import { LONGEST_WAIT_MS, retryAfterMs, retryPause } from '../../upstream/retry-pause.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import type { UpstreamCall } from './upstream-call.ts'

const RETRIES = 2
const FIRST_DELAY_MS = 250
/**
 * Codes that mean "not now" in a stream that began with a 200; nothing was done yet (case 162). The last two are
 * failures of upstream itself, which rarely repeat at once (docs/upstream.md 5.2).
 */
const NOT_NOW_CODES = new Set([
  'server_is_overloaded',
  'overloaded_error',
  'slow_down',
  'rate_limit_exceeded',
  'upstream_stream_cut',
  'server_error',
  'upstream_error',
])

type Attempt<Value> = {
  /** A refusal by `open` is final: `upstream/client.ts` has already retried what may be retried. */
  readonly call: Pick<UpstreamCall, 'open'>
  readonly cancellation: Cancellation
  readonly read: (answer: UpstreamAnswer) => Promise<Value>
  /** Whether the model has begun to answer. */
  readonly isVisible: () => boolean
  /**
   * The client itself retries a 5xx, as Codex does: its retries and ours would multiply (docs/upstream.md 5.2).
   */
  readonly clientRetries?: boolean
}

/**
 * Calls upstream and reads its answer; does so again if upstream was overloaded, broke off or refused the request
 * before the model began to answer. Never later: the client may have acted on a tool call (case 177), and the tokens
 * are spent.
 */
export function withEarlyRetries<Value>(
  { random }: Pick<RouteContext, 'random'>,
  { record }: Pick<ApiRequest, 'record'>,
  { call, cancellation, read, isVisible, clientRetries = false }: Attempt<Value>,
): Promise<Value> {
  // Without `await`: a suspended function keeps everything it has used, and the answer may take an hour.
  function ask(retry: number, refusal?: ApiError): Promise<Value> {
    return call.open(cancellation, refusal).then((answer) => {
      // A web page may arrive with a 200, such as a company's block page. That is only known once it is read: a stream
      // is recognised by its content (case 122).
      const blocked = isHtml(answer.headers) ? blockedError(answer.status, answer.headers, true) : undefined
      return read(answer).catch((thrown: unknown) =>
        again(isCut(thrown) && !isVisible() ? (blocked ?? thrown) : thrown, retry, refusal),
      )
    })
  }

  async function again(thrown: unknown, retry: number, refusal: ApiError | undefined): Promise<Value> {
    if (cancellation.reason !== undefined || isVisible()) throw thrown
    const error = toApiError(thrown)
    if (!isNotNow(error)) {
      if (refusal !== undefined || !(thrown instanceof ApiError)) throw thrown
      return ask(retry, thrown)
    }
    const wait = retryPause(FIRST_DELAY_MS, retry, random(), retryAfterMs(error.headers))
    const isLeft = clientRetries && error.status >= 500
    if (isLeft || retry === RETRIES || wait > LONGEST_WAIT_MS) throw thrown
    record.upstreamRetries++
    await cancellation.delay(wait)
    return ask(retry + 1, refusal)
  }

  return ask(0)
}

function isCut(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.code === 'upstream_stream_cut'
}

function isNotNow({ code }: ApiError): boolean {
  return code !== null && NOT_NOW_CODES.has(code)
}
