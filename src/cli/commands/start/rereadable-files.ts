import { statSync } from 'node:fs'
import { settingName } from '../../../config/load.ts'
import { type Config, OPTIONS } from '../../../config/options.ts'
import { UsageError } from '../../../config/usage-error.ts'

/** The files that are read again, and where their contents may be instead. */
const REREAD = [
  ['apiKeyFile', 'the key into a file, or into CODEX_PROXY_API_KEY'],
  ['tlsCert', 'the certificate into a file'],
  ['tlsKey', 'the key into a file'],
] as const

/**
 * Throws a UsageError for what comes through a pipe, as `<(pass show key)` makes one: the server in the background,
 * `status`, `restart` and a service read the file again.
 */
export function checkRereadable(config: Pick<Config, (typeof REREAD)[number][0]>): void {
  for (const [name, place] of REREAD) {
    const path = config[name]
    if (path === undefined || mayBeFile(path)) continue
    throw new UsageError(
      `${settingName(OPTIONS[name])} ${path}: it is not a file that can be read again later. Put ${place}; with ` +
        '`start --foreground` it is read only once.',
    )
  }
}

/** A descriptor of this process, which other processes don't have, even if it is of a file: `/dev/stdin < key`. */
const DESCRIPTOR = /^\/(dev\/stdin$|dev\/fd\/|proc\/)/

/** Reading reports what is wrong with a folder, or with what can't be reached. */
function mayBeFile(path: string): boolean {
  if (DESCRIPTOR.test(path)) return false
  try {
    const found = statSync(path)
    return found.isFile() || found.isDirectory()
  } catch {
    return true
  }
}
