import { objectOf, textOf } from './json-object.ts'
import { readText } from './system/text-file.ts'

let version: string | undefined

/** The version of this package, read once: an upgrade removes or replaces the file while a server runs. */
export function packageVersion(): string {
  version ??= versionIn(readText(new URL('../package.json', import.meta.url)))
  return version
}

/** Both src/ and dist/ are beside package.json. */
function versionIn(text: string): string {
  const version = textOf(objectOf(JSON.parse(text)).version)
  if (version !== undefined) return version
  throw new Error('package.json has no version.')
}
