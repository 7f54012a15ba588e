import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Where Codex keeps the login, as its config.toml says: `file`, `keyring`, `auto`, … or `undefined` for the default,
 * a file. One line is all we need of it, so it is looked for as text; only the part before the first table counts.
 */
export function credentialStore(codexHome: string): string | undefined {
  const [head = ''] = readConfig(codexHome).split(/^\s*\[/m)
  const [, store] = /^\s*"?cli_auth_credentials_store"?\s*=\s*["'](\w+)["']/m.exec(head) ?? []
  return store
}

function readConfig(codexHome: string): string {
  try {
    return readFileSync(join(codexHome, 'config.toml'), 'utf8')
  } catch {
    return '' // Codex takes its defaults too when there is none.
  }
}
