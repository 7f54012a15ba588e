import { isLoopbackHost, portOf } from '../config/endpoint.ts'
import { settingName } from '../config/load.ts'
import { type Config, OPTIONS } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'

type Addresses = Pick<Config, 'host' | 'port' | 'chatgptBaseUrl' | 'openaiBaseUrl'>

/**
 * An upstream that is this server itself would make each request cause another, until no more are accepted. People
 * confuse the base URL of upstream with the one that clients need. Throws a UsageError. (Plain HTTP is only possible on
 * loopback.)
 */
export function checkUpstreams(addresses: Addresses): void {
  const { host, port } = addresses
  if (!isLoopbackHost(host) && host !== '0.0.0.0' && host !== '::') return
  for (const name of ['chatgptBaseUrl', 'openaiBaseUrl'] as const) {
    const upstream = new URL(addresses[name])
    if (!isLoopbackHost(upstream.hostname) || portOf(upstream) !== port) continue
    throw new UsageError(
      `${settingName(OPTIONS[name])}: It points to this server itself (${addresses[name]}). Unset it; it is not the base URL for clients.`,
    )
  }
}
