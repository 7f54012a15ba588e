import { readText } from './system/text-file.ts'

let version: string | undefined

/** The version of this package, read once: an upgrade removes or replaces the file while a server runs. */
export function packageVersion(): string {
  version ??= versionIn(readText(new URL('../package.json', import.meta.url)))
  return version
}

/** Both src/ and dist/ are beside package.json. */
function versionIn(text: string): string {
  const manifest: unknown = JSON.parse(text)
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
  throw new Error('package.json has no version.')
}
