import { type ApiError, toApiError } from '../errors.ts'
import type { UpstreamAnswer } from '../upstream/exchange.ts'
import type { ApiRequest } from './api-request.ts'
import type { RouteContext } from './context.ts'

const RETRIES = 2
const FIRST_DELAY_MS = 250
/** What overload looks like in a stream that began with a 200; nothing was done yet. */
const OVERLOAD_CODES = new Set(['server_is_overloaded', 'overloaded_error', 'slow_down', 'upstream_stream_cut'])

type Attempt<Value> = {
  /** Asks upstream. A refusal is final: `upstream/client.ts` has tried again what may be tried again. */
  readonly open: () => Promise<UpstreamAnswer>
  readonly read: (answer: UpstreamAnswer) => Promise<Value>
  /** Whether anything of the answer is one that a client can see. */
  readonly isVisible: () => boolean
}

/**
 * Asks and reads, again when upstream was overloaded or broke off within its answer before it said anything that a
 * client can see. Never later: a client may have acted on a tool call already (case 177), and the tokens are spent.
 */
export async function withEarlyRetries<Value>(
  { random }: Pick<RouteContext, 'random'>,
  request: ApiRequest,
  { open, read, isVisible }: Attempt<Value>,
): Promise<Value> {
  for (let retry = 0; ; retry++) {
    const answer = await open()
    try {
      return await read(answer)
    } catch (error) {
      const isOver = retry === RETRIES || request.cancellation.reason !== undefined || isVisible()
      if (isOver || !isOverload(toApiError(error))) throw error
      request.record.upstreamRetries++
      await request.cancellation.delay(FIRST_DELAY_MS * 2 ** retry * (0.5 + random()))
    }
  }
}

function isOverload(error: ApiError): boolean {
  return error.code !== null && OVERLOAD_CODES.has(error.code)
}
