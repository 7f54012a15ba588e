import { realpathSync } from 'node:fs'

/**
 * Homebrew, pnpm and mise install each version into its own folder, which an upgrade removes, and keep a link to the
 * current one. Node reports that folder, and a service that names it would no longer start.
 */
const VERSION_FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/\/Cellar\/([^/]+)\/[^/]+\//, '/opt/$1/'],
  [/\/(?:node_modules\/)?\.pnpm\/[^/]+\/node_modules\//, '/node_modules/'],
  [/\/mise\/installs\/([^/]+)\/[^/]+\//, '/mise/installs/$1/latest/'],
  [/\/mise\/installs\/([^/]+)\/[^/]+\//, '/mise/installs/$1/lts/'],
  [/\/mise\/installs\/([^/]+)\/(\d+)\.[^/]+\//, '/mise/installs/$1/$2/'],
]

/** fnm makes a link to the Node in use for each shell, and it is gone after the next system start at the latest. */
const LINK_OF_ONE_SHELL = /\/fnm_multishells\//

/** A path to the same file that survives an upgrade, if there is one. */
export function stablePath(path: string): string {
  const lasting = LINK_OF_ONE_SHELL.test(path) ? realpathSync(path) : path
  const links = VERSION_FOLDERS.map(([folder, link]) => lasting.replace(folder, link))
  return links.find((link) => link !== lasting && isSameFile(link, lasting)) ?? lasting
}

/** The folders from which npx, `pnpm dlx`, `yarn dlx` and bunx run programs that are not installed. */
const TEMPORARY = /[\\/](_npx|dlx(-\d+)?|bunx-[^\\/]+)[\\/]/

/** Whether the program is only there temporarily: such a folder is emptied, some at each system start. */
export function isTemporary(program: string): boolean {
  return TEMPORARY.test(program)
}

function isSameFile(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other)
  } catch {
    return false
  }
}
