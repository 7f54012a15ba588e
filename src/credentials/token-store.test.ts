import * as nodeFs from 'node:fs'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { AuthFile, type Files } from './auth-file.ts'
import { TokenStore } from './token-store.ts'

const OLD = { access_token: 'at-old', refresh_token: 'rt-old' }
const NEW = { access_token: 'at-new', refresh_token: 'rt-new' }

let home: string
let isFull: boolean
let store: TokenStore
let warnings: string[]

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'token-store-'))
  writeFileSync(join(home, 'auth.json'), JSON.stringify({ tokens: OLD }))
  isFull = true
  warnings = []
  const writeSync = (...write: unknown[]) =>
    isFull ? failWith('ENOSPC')() : (nodeFs.writeSync as (...write: unknown[]) => number)(...write)
  const files = { ...nodeFs, writeSync } as Files
  store = new TokenStore(new AuthFile(home, files), files, 'read-write', (_fields, message) => warnings.push(message))
})

afterEach(() => {
  vi.restoreAllMocks()
  isFull = false
  store.save()
  rmSync(home, { recursive: true })
})

const keepNew = () => store.keep(store.read(), OLD.refresh_token, NEW, Date.now())
const written = () => JSON.parse(readFileSync(join(home, 'auth.json'), 'utf8')).tokens

test('tokens that wait to be written do not hold the program', () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  keepNew()
  expect(timers.mock.results.map(({ value }) => value.hasRef())).toEqual([false])
})

test('that tokens can’t be written is said at first and at each sixtieth try, and once that they are', () => {
  keepNew()
  expect(warnings).toEqual([expect.stringContaining('COULD NOT BE WRITTEN')])
  for (let again = 0; again < 59; again++) store.save()
  expect(warnings).toHaveLength(1)
  store.save()
  expect(warnings).toHaveLength(2)

  isFull = false
  store.save()
  store.save()
  expect(warnings.slice(2)).toEqual(['the refreshed login is now written'])
  expect(written()).toEqual(NEW)
})

test('a full disk keeps a login from being refreshed, unless its tokens are in memory only anyway', () => {
  expect(store.roomProblem()).toMatchObject({ code: 'credentials_unwritable' })
  keepNew()
  expect(store.roomProblem()).toBeUndefined()
  expect(written()).toEqual(OLD)
})
