import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)

test('installing the package runs no script of ours or of a dependency', async () => {
  const manifest = JSON.parse(await readFile(new URL('package.json', root), 'utf8'))
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
    expect(manifest.scripts).not.toHaveProperty(name)
  const locked = JSON.parse(await readFile(new URL('npm-shrinkwrap.json', root), 'utf8'))
  const scripted = Object.entries<{ hasInstallScript?: boolean; dev?: boolean; devOptional?: boolean }>(locked.packages)
    .filter(([, { hasInstallScript, dev, devOptional }]) => hasInstallScript && !dev && !devOptional)
    .map(([name]) => name)
  expect(scripted).toEqual([])
})

test('every version users get is locked, with a checksum, and comes from the public registry', async () => {
  const manifest = JSON.parse(await readFile(new URL('package.json', root), 'utf8'))
  expect(manifest.files).toContain('npm-shrinkwrap.json')
  expect(manifest.publishConfig).toMatchObject({ provenance: true })
  const locked = JSON.parse(await readFile(new URL('npm-shrinkwrap.json', root), 'utf8'))
  for (const [name, entry] of Object.entries<{ integrity?: string; resolved?: string; dev?: boolean }>(
    locked.packages,
  )) {
    if (name === '' || entry.dev) continue
    expect(entry.integrity, name).toMatch(/^sha512-/)
    if (entry.resolved !== undefined) expect(entry.resolved, name).toMatch(/^https:\/\/registry\.npmjs\.org\//)
  }
})
