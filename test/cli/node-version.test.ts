import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { preloadProcess } from '../support/preloads.ts'
import { createHome, type Home, run } from '../support/program.ts'

const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const [, oldest, newer] = /^\^(\d+\.\d+) \|\| >=(\d+\.\d+)$/.exec(engines.node) ?? []

let home: Home
beforeAll(async () => {
  home = await createHome()
})
afterAll(() => home.remove())

/** Runs as if Node had this version. */
async function runOn(version: string) {
  const env = { NODE_OPTIONS: preloadProcess('versions', { ...process.versions, node: version }) }
  return await run(['--version'], { home, env })
}

test.each(['18.20.8', '20.18.3', '21.7.3', '22.2.0'])(
  'on Node %s one sentence says which Node is needed and which this is',
  async (version) => {
    const { code, stdout, stderr } = await runOn(version)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `codex-api-proxy needs Node ${oldest}, or ${newer} and newer; this is Node ${version} (${process.execPath}). Install a newer one, or put it first in PATH.\n`,
    )
  },
)

test.each([`${oldest}.0`, `${newer}.0`, '23.0.0', '26.1.0'])('Node %s is new enough', async (version) => {
  expect((await runOn(version)).code).toBe(0)
})
