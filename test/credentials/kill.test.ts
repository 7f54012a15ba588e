import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const WRITER = fileURLToPath(new URL('./write-until-killed.mjs', import.meta.url))
const KILLED_WRITES = 500
const RANDOM_KILLS = 25
const IN_PLACE_ROUNDS = 10

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'codex-api-proxy-kill-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function makeHome(name: string): string {
  const folder = join(root, name)
  mkdirSync(folder)
  const tokens = { access_token: 'at-0', refresh_token: 'rt-0', padding: 'x'.repeat(5000), unknown: { kept: true } }
  const content = { OPENAI_API_KEY: null, tokens, last_refresh: new Date(0).toISOString() }
  writeFileSync(join(folder, 'auth.json'), JSON.stringify(content, null, 2), { mode: 0o644 })
  return folder
}

/** The generation in the file. Fails when it isn't whole. */
function generation(folder: string): number {
  const content = JSON.parse(readFileSync(join(folder, 'auth.json'), 'utf8'))
  const { access_token, refresh_token, padding, unknown } = content.tokens
  const generation = Date.parse(content.last_refresh)
  expect([access_token, refresh_token]).toEqual([`at-${generation}`, `rt-${generation}`])
  expect([padding.length, unknown]).toEqual([5000, { kept: true }])
  return generation
}

/** The file calls of one undisturbed write, in order. */
function callsOf(folder: string, place = 'replacing'): string[] {
  return execFileSync(process.execPath, [WRITER, 'count', place, folder], { encoding: 'utf8' }).split(' ')
}

test(`killed at every file call of a write, ${KILLED_WRITES} writes: the file is always a whole generation`, () => {
  const calls = callsOf(makeHome('counted'))
  expect(calls).toEqual(expect.arrayContaining(['openSync', 'writeSync', 'fsyncSync', 'renameSync']))
  const homes = calls.map((_call, at) => makeHome(`home-${at}`))
  let killed = 0
  let adopted = 0
  for (let offset = 0; killed < KILLED_WRITES; offset++) {
    const before = homes.map(generation)
    const { signal } = spawnSync(process.execPath, [
      WRITER,
      'cut',
      'replacing',
      `${offset}`,
      `${calls.length}`,
      ...homes,
    ])
    expect(signal).toBe('SIGKILL')
    killed += homes.length
    // One on by the write itself, one by what the writer before it had completed beside the file.
    const steps = homes.map((home, at) => generation(home) - (before[at] ?? 0))
    expect(steps.filter((step) => step < 0 || step > 2)).toEqual([])
    adopted += steps.filter((step) => step === 2).length
  }
  expect(adopted).toBeGreaterThan(0)
  for (const home of homes) {
    callsOf(home)
    expect(readdirSync(home)).toEqual(['auth.json'])
    expect(statSync(join(home, 'auth.json')).mode & 0o777).toBe(0o600)
  }
})

test('killed at every file call of writing in place: the next process makes it a whole generation', () => {
  const calls = callsOf(makeHome('counted'), 'in-place')
  expect(calls).toEqual(expect.arrayContaining(['writeSync', 'ftruncateSync', 'fsyncSync']))
  const homes = calls.map((_call, at) => makeHome(`home-${at}`))
  for (let offset = 0; offset < IN_PLACE_ROUNDS; offset++) {
    const before = homes.map(generation)
    const cut = ['cut', 'in-place', `${offset}`, `${calls.length}`, ...homes]
    expect(spawnSync(process.execPath, [WRITER, ...cut]).signal).toBe('SIGKILL')
    execFileSync(process.execPath, [WRITER, 'take-up', 'in-place', ...homes])
    const steps = homes.map((home, at) => generation(home) - (before[at] ?? 0))
    expect(steps.filter((step) => step < 0 || step > 1)).toEqual([])
    expect(steps).toContain(1)
  }
  for (const home of homes) {
    callsOf(home, 'in-place')
    expect(readdirSync(home)).toEqual(['auth.json'])
  }
})

test(`killed at ${RANDOM_KILLS} random moments while it writes all the time: the file is always a whole generation`, async () => {
  const home = makeHome('home')
  for (let kill = 0; kill < RANDOM_KILLS; kill++) {
    const before = generation(home)
    const writer = spawn(process.execPath, [WRITER, 'loop', 'replacing', home], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(writer.stdout, 'data')
    await delay(Math.random() * 10)
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    expect(generation(home)).toBeGreaterThanOrEqual(before)
  }
  expect(generation(home)).toBeGreaterThan(0)
})
