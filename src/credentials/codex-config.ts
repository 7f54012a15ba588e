import { join } from 'node:path'
import { textIn } from '../system/text-file.ts'

/**
 * Where Codex keeps the login, as its config.toml says: `file`, `keyring`, `auto`, … or `undefined` for the default,
 * a file. One line is all we need of it, so it is looked for as text; only the part before the first table counts.
 */
export function credentialStore(codexHome: string): string | undefined {
  // Codex also uses its defaults if there is no config file.
  const config = textIn(join(codexHome, 'config.toml')) ?? ''
  const [head = ''] = config.split(/^\s*\[/m)
  const [, store] = /^\s*"?cli_auth_credentials_store"?\s*=\s*["'](\w+)["']/m.exec(head) ?? []
  return store
}
