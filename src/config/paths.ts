import { homedir, userInfo } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

/** The folders that paths in settings are relative to. */
export type Bases = { readonly home: string; readonly cwd: string }

/** `~` and `~/…` are in the home folder, as a shell would have it; anything else is relative to the working folder. */
export function absolutePath(given: string, { home, cwd }: Bases): string {
  if (given === '~') return home
  if (/^~[/\\]/.test(given)) return join(home, given.slice(2))
  return resolve(cwd, given)
}

/** The reverse, for showing a path: one in the home folder begins with `~`. */
export function shortPath(path: string, home: string): string {
  // With a separator at its end, which the root (the home of users without an entry, in containers) has already.
  const folder = join(home, '/')
  return path.startsWith(folder) ? `~${path.slice(folder.length - 1)}` : path
}

/** The user's home folder; HOME (on Windows USERPROFILE) decides before the user database, unless it is empty. */
export function homeFolder(): string {
  try {
    return resolve(homedir() || userInfo().homedir)
  } catch {
    // A user id without an entry in the user database, as containers have: paths stay relative to the root.
    return '/'
  }
}

const CERTIFICATE_FILES = ['CODEX_CA_CERTIFICATE', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'] as const

/** The set variables that name certificates, with absolute paths for a process that works in another folder. */
export function certificateVariables(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of CERTIFICATE_FILES) if (env[name]) found[name] = resolve(cwd, env[name])
  // A list, openssl-verification-options(1).
  const folders = env.SSL_CERT_DIR?.split(delimiter).filter((folder) => folder !== '') ?? []
  if (folders.length > 0) found.SSL_CERT_DIR = folders.map((folder) => resolve(cwd, folder)).join(delimiter)
  return found
}
