import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { playPlatform } from '../../test/support/platform.ts'
import { loadConfig } from '../config/load.ts'
import { readState, saveState, secretsFileOf } from './state-file.ts'

vi.mock(import('node:fs/promises'), { spy: true })

const bases = { home: '/home/someone', cwd: '/' }
let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'state-file-'))
  file = join(folder, 'proxy.state.json')
})
afterEach(() => rm(folder, { recursive: true }))

function given(flags: Record<string, string | string[]>) {
  const loaded = loadConfig({ flags, env: {}, saved: {}, bases })
  return { settings: loaded.given, origins: loaded.origins }
}

test('what is saved is read again, with where it came from', async () => {
  await saveState(
    file,
    given({ port: '1', allowHost: ['a.test', 'b.test'], apiKey: 'hidden', proxy: 'http://u:p@h:1' }),
  )
  const { settings, origins } = await readState(file)
  expect(settings).toEqual({ port: '1', allowHost: ['a.test', 'b.test'], apiKey: 'hidden', proxy: 'http://u:p@h:1' })
  expect(origins).toEqual({ port: 'flag', allowHost: 'flag', apiKey: 'flag', proxy: 'flag' })
})

test('the state file holds no secret; they have a private file of their own', async () => {
  await saveState(file, given({ port: '1', apiKey: 'hidden', proxy: 'http://user:hidden@host:1' }))
  expect(await readFile(file, 'utf8')).not.toContain('hidden')
  for (const each of [file, secretsFileOf(file)]) expect((await stat(each)).mode & 0o777).toBe(0o600)
})

test('secrets that are not given any more are deleted', async () => {
  await saveState(file, given({ apiKey: 'hidden' }))
  for (let times = 0; times < 2; times++) {
    await saveState(file, given({ port: '1' }))
    expect(await readdir(folder)).toEqual(['proxy.state.json'])
  }
})

test('on Windows they are waited for while somebody has them open', async () => {
  await saveState(file, given({ apiKey: 'hidden' }))
  vi.mocked(rm).mockImplementationOnce(async () => failWith('EBUSY')())
  await expect(saveState(file, given({ port: '1' }))).rejects.toMatchObject({ code: 'EBUSY' })
  playPlatform('win32')
  vi.mocked(rm).mockImplementationOnce(async () => failWith('EBUSY')())
  await saveState(file, given({ port: '1' }))
  expect(await readdir(folder)).toEqual(['proxy.state.json'])
})

test.each([
  ['a.json', 'a.secrets.json'],
  ['a.json.old', 'a.json.old.secrets.json'],
])('beside %s they are in %s', (state, secrets) => {
  expect(secretsFileOf(state)).toBe(secrets)
})

test('without a file nothing is saved', async () => {
  expect(await readState(file)).toEqual({ settings: {}, origins: {} })
})

test('settings of another version are left out', async () => {
  await writeFile(
    file,
    JSON.stringify({
      settings: { port: '1', hologram: 'yes', host: 5, allowHost: [1] },
      origins: { hologram: 'flag', port: 5 },
    }),
  )
  expect(await readState(file)).toEqual({ settings: { port: '1' }, origins: {} })
})

test.each([
  ['{}', {}],
  ['{"settings":{"port":"1"}}', { port: '1' }],
  ['{"settings":5,"origins":[]}', {}],
])('of a file that holds %s the rest is nothing', async (text, settings) => {
  await writeFile(file, text)
  expect(await readState(file)).toEqual({ settings, origins: {} })
})

test.each(['', '[]', '{"settings":', 'null'])('a file that holds %j is named in the failure', async (text) => {
  await writeFile(file, text)
  await expect(readState(file)).rejects.toThrow(`${file} holds no saved settings`)
})
