import { realpathSync } from 'node:fs'

/**
 * Homebrew, pnpm and mise put each version into a folder of its own, which an upgrade removes, and keep a link to the
 * present one. Node tells the folder, and a service that names it does not start any more.
 */
const VERSION_FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/\/Cellar\/([^/]+)\/[^/]+\//, '/opt/$1/'],
  [/\/(?:node_modules\/)?\.pnpm\/[^/]+\/node_modules\//, '/node_modules/'],
  [/\/mise\/installs\/([^/]+)\/[^/]+\//, '/mise/installs/$1/latest/'],
  [/\/mise\/installs\/([^/]+)\/[^/]+\//, '/mise/installs/$1/lts/'],
  [/\/mise\/installs\/([^/]+)\/(\d+)\.[^/]+\//, '/mise/installs/$1/$2/'],
]

/** The path by which the same file is found after an upgrade too, where there is one. */
export function lastingPath(path: string): string {
  const links = VERSION_FOLDERS.map(([folder, link]) => path.replace(folder, link))
  return links.find((link) => link !== path && isSameFile(link, path)) ?? path
}

/** The folders from which npx, `pnpm dlx`, `yarn dlx` and bunx run what is not installed. */
const PASSING = /[\\/](_npx|dlx(-\d+)?|bunx-[^\\/]+)[\\/]/

/** Whether the program is there for this one run: such a folder is emptied, some at each start of the system. */
export function isPassing(program: string): boolean {
  return PASSING.test(program)
}

function isSameFile(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other)
  } catch {
    return false
  }
}
