import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { UsageError } from '../config/usage-error.ts'
import { clientKeyFrom } from './client-key.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-key-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function file(content: string, mode = 0o600): Promise<string> {
  const path = join(folder, 'key')
  await writeFile(path, content)
  await chmod(path, mode)
  return path
}

function load(settings: { apiKey?: string; apiKeyFile?: string }) {
  const warnings: string[] = []
  const key = clientKeyFrom({ apiKey: undefined, apiKeyFile: undefined, ...settings }, (text) => warnings.push(text))
  return { key, warnings }
}

test('without a setting no key is asked for', () => {
  expect(load({})).toEqual({ key: undefined, warnings: [] })
})

test('the key of the flag or variable is used as it is', () => {
  expect(load({ apiKey: 'local-secret' })).toEqual({ key: 'local-secret', warnings: [] })
})

test.each(['local-secret', 'local-secret\n', 'local-secret\r\n', 'local-secret\n\n', '\uFEFFlocal-secret\r\n'])(
  'the key of a file is used without the end of its line or a byte order mark: %j',
  async (content) => {
    expect(load({ apiKeyFile: await file(content) })).toEqual({ key: 'local-secret', warnings: [] })
  },
)

test('a key that PowerShell has put into a file, as UTF-16, is the same key', async () => {
  const path = await file('')
  await writeFile(path, '\uFEFFlocal-secret\r\n', 'utf16le')
  expect(load({ apiKeyFile: path }).key).toBe('local-secret')
})

test.each([0o644, 0o640, 0o660, 0o602])('a file with mode %o is used, with a warning', async (mode) => {
  const { key, warnings } = load({ apiKeyFile: await file('local-secret', mode) })
  expect(key).toBe('local-secret')
  expect(warnings).toEqual([expect.stringContaining('0600')])
})

test.each(['', '\n', 'two\nlines', 'with space', ' leading', 'schlüssel', 'tab\there', 'nul\0', 'mark\uFEFFinside'])(
  'a file with %j holds no key',
  async (content) => {
    const apiKeyFile = await file(content)
    expect(() => load({ apiKeyFile })).toThrow(UsageError)
    expect(() => load({ apiKeyFile })).toThrow(apiKeyFile)
  },
)

test('a key that no header can carry is refused, and not repeated', () => {
  expect(() => load({ apiKey: 'my secret' })).toThrow(UsageError)
  expect(() => load({ apiKey: 'my secret' })).toThrow('--api-key or CODEX_PROXY_API_KEY')
  expect(() => load({ apiKey: 'my secret' })).not.toThrow('my secret')
})

test('a file that cannot be read is refused with the reason', () => {
  expect(() => load({ apiKeyFile: join(folder, 'nowhere') })).toThrow(/nowhere.*ENOENT.*--api-key-file/)
  expect(() => load({ apiKeyFile: folder })).toThrow('EISDIR')
})

test('key and file together are refused', async () => {
  const apiKeyFile = await file('local-secret')
  expect(() => load({ apiKey: 'local-secret', apiKeyFile })).toThrow(UsageError)
  expect(() => load({ apiKey: 'local-secret', apiKeyFile })).toThrow(/CODEX_PROXY_API_KEY\).*CODEX_PROXY_API_KEY_FILE/)
})
