import { readFileSync } from 'node:fs'

/** The version of this package, as its package.json says; src/ and dist/ lie beside it alike. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
  throw new Error('package.json has no version.')
}
