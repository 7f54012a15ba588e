import { readText } from './system/text-file.ts'

/** The version of this package, as its package.json says; src/ and dist/ lie beside it alike. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readText(new URL('../package.json', import.meta.url)))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
  throw new Error('package.json has no version.')
}
