import { isLoopbackHost } from '../config/endpoint.ts'
import type { Config } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'

type BindSettings = Pick<Config, 'host' | 'insecureNoKey' | 'tlsCert'> & { readonly clientKey: string | undefined }

/**
 * Whoever reaches the port can use the login, so an address that others can reach requires a client key, or
 * `--insecure-no-key`. Throws a UsageError otherwise; `warn` gets the remaining risks.
 */
export function checkBind(
  { host, insecureNoKey, tlsCert, clientKey }: BindSettings,
  warn: (message: string) => void,
): void {
  if (isLoopbackHost(host)) return
  if (clientKey === undefined && !insecureNoKey) {
    throw new UsageError(
      `Others can reach ${host} and could use your login. Set a client key with --api-key-file or ` +
        'CODEX_PROXY_API_KEY, listen on 127.0.0.1, or allow this with --insecure-no-key.',
    )
  }
  if (clientKey === undefined) warn(`Anyone who can reach ${host} can use your login: there is no client key.`)
  if (tlsCert === undefined)
    warn(`Requests to ${host} are not encrypted; use --tls-cert and --tls-key outside trusted networks.`)
}
