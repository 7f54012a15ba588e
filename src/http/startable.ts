import type { SecureContextOptions } from 'node:tls'
import type { Config } from '../config/options.ts'
import { checkBind } from './bind-policy.ts'
import { clientKeyFrom } from './client-key.ts'
import { checkUpstreams } from './own-upstream.ts'
import { tlsOptions } from './tls.ts'

/** The key that clients must send, and what HTTPS is served with. */
type Access = { readonly clientKey: string | undefined; readonly tls: SecureContextOptions | undefined }

/**
 * Checks the settings together, since each was checked by itself when it was read. Throws a UsageError for those that no
 * server starts with, as far as that can be told without starting one; `warn` is told what stays risky.
 */
export function checkStartable(config: Config, warn: (risk: string) => void = () => {}): Access {
  const clientKey = clientKeyFrom(config, warn)
  checkBind({ ...config, clientKey }, warn)
  checkUpstreams(config)
  return { clientKey, tls: tlsOptions(config) }
}
