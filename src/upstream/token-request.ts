import { withDeadline } from '../cancellation.ts'
import type { PostToken } from '../credentials/refresh.ts'
import { ProxyError, toError } from '../errors.ts'
import type { LazyOutbound } from './outbound/lazy-outbound.ts'
import { readBody } from './read-body.ts'
import { headerList, identityHeaders, NOT_ENCODED } from './target.ts'
import { exchange } from './transport.ts'

/** Long enough for a slow issuer: giving up early may lose a token that it has already replaced. */
export const TOKEN_REQUEST_LIMIT_MS = 60_000
const MAX_ANSWER_BYTES = 1024 * 1024

/**
 * Posts JSON to the token endpoint, once, by the same route as model requests. It has its own time limit and is tied to
 * no client: a refresh goes on if the client that needed it disconnects.
 */
export function createTokenRequest(outbound: LazyOutbound['get']): PostToken {
  return async (address, body) => {
    const url = new URL(address)
    const route = await outbound()
    const request = {
      origin: url.origin,
      method: 'POST',
      path: url.pathname + url.search,
      headers: headerList({
        'content-type': 'application/json',
        accept: 'application/json',
        ...identityHeaders(),
        ...NOT_ENCODED,
      }),
      body: [Buffer.from(JSON.stringify(body))],
      idleTimeout: TOKEN_REQUEST_LIMIT_MS,
      headerTimeout: TOKEN_REQUEST_LIMIT_MS,
    }
    try {
      return await withDeadline(TOKEN_REQUEST_LIMIT_MS, tooLate(url), async (deadline) => {
        const answer = await exchange(route.dispatcherFor(url), request, deadline)
        return { status: answer.status, body: (await readBody(answer.body, MAX_ANSWER_BYTES)).toString('utf8') }
      })
    } catch (error) {
      const failure = toError(error)
      const explained = route.explain(failure, url)
      // The next request may then use another route; this one is not sent again, since it may have arrived.
      await route.connectionFailed(failure)
      throw explained
    }
  }
}

function tooLate({ host }: URL): ProxyError {
  return new ProxyError(
    'upstream_timeout',
    `The token endpoint ${host} did not answer within ${TOKEN_REQUEST_LIMIT_MS / 1000} s.`,
  )
}
