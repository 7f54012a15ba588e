import { readFileSync } from 'node:fs'
import type { Config } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'
import { codeInBrackets } from '../system/error-code.ts'
import { isOpenToOthers } from '../system/open-to-others.ts'

/**
 * The key that clients must send, from the setting or from a file; undefined if none is required. Throws a UsageError
 * for an unusable key. `warn` is called if others can read the file.
 */
export function clientKeyFrom(
  { apiKey, apiKeyFile }: Pick<Config, 'apiKey' | 'apiKeyFile'>,
  warn: (message: string) => void,
): string | undefined {
  if (apiKeyFile === undefined)
    return apiKey === undefined ? undefined : usable(apiKey, 'The client key (--api-key or CODEX_PROXY_API_KEY)')
  if (apiKey !== undefined) {
    throw new UsageError(
      'A client key (--api-key or CODEX_PROXY_API_KEY) and a file with one (--api-key-file or CODEX_PROXY_API_KEY_FILE) ' +
        'are both set; use only one.',
    )
  }
  const key = usable(readKey(apiKeyFile), `The client key in ${apiKeyFile}`)
  if (isOpenToOthers(apiKeyFile)) {
    warn(`Others can read the client key in ${apiKeyFile}; set its permissions to 0600.`)
  }
  return key
}

function readKey(path: string): string {
  try {
    // Editors may begin a file with a byte order mark and end it with a line, without showing either.
    return decoded(readFileSync(path)).replace(/^\uFEFF|[\r\n]+$/g, '')
  } catch (error) {
    throw new UsageError(
      `The client key file ${path} can't be read${codeInBrackets(error)}: correct --api-key-file or CODEX_PROXY_API_KEY_FILE, or the file's permissions.`,
    )
  }
}

/** `>` of Windows PowerShell writes UTF-16, with a byte order mark. */
function decoded(bytes: Buffer): string {
  return bytes.toString(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf16le' : 'utf8')
}

/** Anything else could not be sent in a header as it is. */
function usable(key: string, what: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw new UsageError(`${what} must be one line of letters, digits and symbols, without spaces.`)
}
