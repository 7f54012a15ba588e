import * as nodeFs from 'node:fs'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { ProxyError } from '../errors.ts'
import { AuthFile, type Files } from './auth-file.ts'

let home: string
let path: string
const LONG_AGO = 1_700_000_000
const key = (name: string) => JSON.stringify({ OPENAI_API_KEY: `sk-${name}` })

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'codex-api-proxy-file-'))
  path = join(home, 'auth.json')
})
afterEach(() => rmSync(home, { recursive: true }))

const open = (files: Partial<Files> = {}, codexHome = home) => new AuthFile(codexHome, { ...nodeFs, ...files })
const failure = (file = open()) => {
  try {
    file.read()
  } catch (error) {
    if (error instanceof ProxyError) return error
    throw error
  }
  throw new Error('it could be read')
}
test('a file that did not change is not read again', () => {
  writeFileSync(path, key('one'))
  utimesSync(path, LONG_AGO, LONG_AGO)
  const file = open()
  expect(file.read()).toBe(file.read())
})

test('nor is one from the future, which a clock that was set back makes of every file', () => {
  writeFileSync(path, key('one'))
  const tomorrow = Date.now() / 1000 + 86_400
  utimesSync(path, tomorrow, tomorrow)
  const file = open()
  expect(file.read()).toBe(file.read())
})

test('a replaced file is read', () => {
  writeFileSync(path, key('one'))
  const file = open()
  file.read()
  writeFileSync(`${path}.new`, key('two'))
  renameSync(`${path}.new`, path)
  expect(file.read().login.credentials).toEqual({ kind: 'api-key', apiKey: 'sk-two' })
})

test('a change of the same size within one tick of the clock is seen', () => {
  const file = open()
  for (let round = 0; round < 200; round++) {
    const name = String(100 + round)
    writeFileSync(path, key(name))
    expect(file.read().login.credentials).toEqual({ kind: 'api-key', apiKey: `sk-${name}` })
  }
})

test('an older file copied over it is read, whatever its time', () => {
  writeFileSync(path, key('one'))
  utimesSync(path, LONG_AGO, LONG_AGO)
  const file = open()
  file.read()
  writeFileSync(path, key('two'))
  utimesSync(path, LONG_AGO, LONG_AGO)
  expect(file.read().login.credentials).toEqual({ kind: 'api-key', apiKey: 'sk-two' })
})

test('without a file the login is missing, and the message names where it was looked for', () => {
  expect(failure()).toMatchObject({ code: 'credentials_missing', message: `There is no ${path}.` })
})

test('without its folder the login is missing too', () => {
  const nowhere = join(home, 'nowhere')
  expect(failure(open({}, nowhere)).code).toBe('credentials_missing')
})

test('a folder in its place, as Docker makes it, is told as such', () => {
  mkdirSync(path)
  expect(failure()).toMatchObject({
    code: 'credentials_unreadable',
    message: expect.stringContaining('remove it (Docker'),
  })
})

test('what is neither file nor folder is told as such, and not waited for', () => {
  symlinkSync('/dev/zero', path)
  const message = `${path} is not a regular file; remove it.`
  expect(failure()).toMatchObject({ code: 'credentials_unreadable', message })
})

test('a file that is removed between the look at it and the reading is missing', () => {
  writeFileSync(path, key('one'))
  expect(failure(open({ readFileSync: failWith('ENOENT') })).code).toBe('credentials_missing')
})

test('a folder that may not be entered is told with its code', () => {
  expect(failure(open({ statSync: failWith('EACCES') as never }))).toMatchObject({
    code: 'credentials_unreadable',
    message: expect.stringContaining('EACCES'),
  })
})

test('a file that may not be read is told with its code', () => {
  writeFileSync(path, key('one'))
  const file = open({ readFileSync: failWith('EACCES') as never })
  expect(failure(file)).toMatchObject({ code: 'credentials_unreadable', message: expect.stringContaining('EACCES') })
})

test('a failure to read is not remembered', () => {
  writeFileSync(path, key('one'))
  utimesSync(path, LONG_AGO, LONG_AGO)
  let calls = 0
  const readFileSync = (...args: unknown[]) => {
    calls += 1
    if (calls === 1) failWith('EMFILE')()
    return (nodeFs.readFileSync as (...args: unknown[]) => unknown)(...args)
  }
  const file = open({ readFileSync: readFileSync as never })
  failure(file)
  expect(file.read().login.kind).toBe('api-key')
})

test('a file far too large is not read', () => {
  writeFileSync(path, ' '.repeat(2 * 1024 * 1024))
  expect(failure()).toMatchObject({ code: 'credentials_malformed', message: expect.stringContaining('too large') })
})

test.each([
  ['keyring', 'cli_auth_credentials_store = "keyring"', 'in the system keyring'],
  ['auto', 'model = "gpt"\n  cli_auth_credentials_store=\'auto\' # comment', 'in the system keyring'],
  ['keyring', 'notify = ["bell"]\ncli_auth_credentials_store = "keyring"', 'in the system keyring'],
  ['ephemeral', 'cli_auth_credentials_store = "ephemeral"', 'only in its own memory'],
])('a login kept elsewhere (%s) is recognised', (_store, config, where) => {
  writeFileSync(join(home, 'config.toml'), config)
  expect(failure()).toMatchObject({ code: 'credentials_in_keyring', message: expect.stringContaining(where) })
  expect(failure().remedy).toContain('cli_auth_credentials_store = "file"')
})

test.each([
  ['file', 'cli_auth_credentials_store = "file"'],
  ['a key of the same name in a table', '[tools]\ncli_auth_credentials_store = "keyring"'],
  ['a comment', '# cli_auth_credentials_store = "keyring"'],
])('no keyring is suspected for %s', (_name, config) => {
  writeFileSync(join(home, 'config.toml'), config)
  expect(failure().code).toBe('credentials_missing')
})

test('a file is used although the keyring is set: Codex deletes it once the keyring holds the login', () => {
  writeFileSync(join(home, 'config.toml'), 'cli_auth_credentials_store = "keyring"')
  writeFileSync(path, key('one'))
  expect(open().read().login.kind).toBe('api-key')
})
