import { type ApiError, toApiError } from '../errors.ts'
import type { ApiRequest } from './api-request.ts'
import type { RouteContext } from './context.ts'

const RETRIES = 2
const FIRST_DELAY_MS = 250
/** What overload looks like in a stream that began with a 200; nothing was done yet. */
const OVERLOAD_CODES = new Set(['server_is_overloaded', 'overloaded_error', 'slow_down', 'upstream_stream_cut'])

/**
 * Runs `attempt`, again when upstream was overloaded or broke off before it said anything that a client can
 * see. Never later: a client may have acted on a tool call already (case 177), and the tokens are spent.
 */
export async function withEarlyRetries<Value>(
  { random }: Pick<RouteContext, 'random'>,
  request: ApiRequest,
  isVisible: () => boolean,
  attempt: () => Promise<Value>,
): Promise<Value> {
  for (let retry = 0; ; retry++) {
    try {
      return await attempt()
    } catch (error) {
      if (
        retry === RETRIES ||
        request.cancellation.reason !== undefined ||
        isVisible() ||
        !isOverload(toApiError(error))
      )
        throw error
      request.record.upstreamRetries++
      await request.cancellation.delay(FIRST_DELAY_MS * 2 ** retry * (0.5 + random()))
    }
  }
}

function isOverload(error: ApiError): boolean {
  return error.code !== null && OVERLOAD_CODES.has(error.code)
}
