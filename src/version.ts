import { readText } from './system/text-file.ts'

let version: string | undefined

/** The version of this package, read once: while a server runs, an upgrade removes or replaces the file that tells it. */
export function packageVersion(): string {
  version ??= versionIn(readText(new URL('../package.json', import.meta.url)))
  return version
}

/** src/ and dist/ lie beside package.json alike. */
function versionIn(text: string): string {
  const manifest: unknown = JSON.parse(text)
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
  throw new Error('package.json has no version.')
}
