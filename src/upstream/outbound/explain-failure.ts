import { missingModule, ProxyError } from '../../errors.ts'
import { failureCode, reasonOf } from './failure-reason.ts'
import { OutboundProxyError } from './tunnel.ts'

/**
 * Names the failure of one exchange with `origin`. `through` is the outbound proxy, if one was used: a proxy that
 * inspects TLS is the usual reason for unknown certificates. `headerTimeout` in milliseconds.
 */
export function explainFailure(
  error: Error,
  origin: URL,
  through: string | undefined,
  headerTimeout: number,
): ProxyError {
  if (error instanceof ProxyError) return error
  if (error instanceof OutboundProxyError) {
    return new ProxyError('outbound_proxy_failed', error.message, { cause: error })
  }
  const missing = missingModule(error)
  if (missing !== undefined) return missing
  const upstream = `Upstream ${origin.host}`
  if (failureCode(error) === 'UND_ERR_HEADERS_TIMEOUT') {
    const message = `${upstream} did not begin its answer within ${headerTimeout / 1000} s (--header-timeout).`
    return new ProxyError('upstream_timeout', message, { cause: error })
  }
  const way = through === undefined ? '' : `, through the outbound proxy ${through}`
  return new ProxyError('upstream_unreachable', `${upstream} ${reasonOf(error)}${way}.`, { cause: error })
}
