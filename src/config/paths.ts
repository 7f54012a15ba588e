import { homedir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'

/** What paths of settings are relative to. */
export type Bases = { readonly home: string; readonly cwd: string }

/** `~` and `~/…` are in the home folder, as a shell would have it; anything else is relative to the working folder. */
export function absolutePath(given: string, { home, cwd }: Bases): string {
  if (given === '~') return home
  if (/^~[/\\]/.test(given)) return join(home, given.slice(2))
  return resolve(cwd, given)
}

/** The other way round, for showing: a path in the home folder begins with `~`. */
export function shortPath(path: string, home: string): string {
  return path.startsWith(join(home, '/')) ? `~${path.slice(home.length)}` : path
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
