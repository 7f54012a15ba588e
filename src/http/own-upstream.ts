import { isLoopbackHost, portOf } from '../config/endpoint.ts'
import type { Config } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'

type Addresses = Pick<Config, 'host' | 'port' | 'chatgptBaseUrl' | 'openaiBaseUrl'>

/**
 * An upstream that is this server itself would make each request cause another, until no more are accepted. People
 * confuse the base URL of upstream with the one that clients need. Throws a UsageError. (Plain HTTP is only possible on
 * loopback.)
 */
export function checkUpstreams({ host, port, chatgptBaseUrl, openaiBaseUrl }: Addresses): void {
  if (!isLoopbackHost(host) && host !== '0.0.0.0' && host !== '::') return
  const variables = { CODEX_API_PROXY_CHATGPT_BASE_URL: chatgptBaseUrl, CODEX_API_PROXY_OPENAI_BASE_URL: openaiBaseUrl }
  for (const [variable, baseUrl] of Object.entries(variables)) {
    const upstream = new URL(baseUrl)
    if (!isLoopbackHost(upstream.hostname) || portOf(upstream) !== port) continue
    throw new UsageError(
      `${variable}: It points to this server itself (${baseUrl}). Unset it; it is not the base URL for clients.`,
    )
  }
}
