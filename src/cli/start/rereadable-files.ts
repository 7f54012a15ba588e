import { statSync } from 'node:fs'
import type { Config } from '../../config/options.ts'
import { UsageError } from '../../config/usage-error.ts'

/**
 * Throws a UsageError for a client key in a pipe, as `<(pass show key)` makes one: the server in the background,
 * `status`, `restart` and a service read the file again.
 */
export function checkRereadable({ apiKeyFile }: Pick<Config, 'apiKeyFile'>): void {
  // Reading the file reports what is wrong with a missing one.
  if (apiKeyFile === undefined || (statSync(apiKeyFile, { throwIfNoEntry: false })?.isFile() ?? true)) return
  throw new UsageError(
    `--api-key-file ${apiKeyFile}: it is not a file that can be read again later. Put the key into a file, or into ` +
      'CODEX_PROXY_API_KEY; with `start --foreground` it is read only once.',
  )
}
