import * as nodeFs from 'node:fs'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Files } from './auth-file.ts'
import { adoptLeftover, replaceAuthFile, withTokens } from './auth-file-write.ts'

let home: string
let path: string
const OLD = { OPENAI_API_KEY: null, tokens: { access_token: 'old', refresh_token: 'rt-old', future: { a: [1] } }, x: 1 }
const NEW = withTokens(OLD, { access_token: 'new', refresh_token: 'rt-new' }, Date.UTC(2026, 0, 2))
const text = (content: unknown) => JSON.stringify(content, null, 2)
const replacement = { content: NEW, redeemed: 'rt-old', mayReplace: () => true }

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'codex-api-proxy-write-'))
  path = join(home, 'auth.json')
  writeFileSync(path, text(OLD))
})
afterEach(() => rmSync(home, { recursive: true }))

test('only the given tokens and the time change; unknown fields and the order of keys stay', () => {
  expect(text(NEW)).toBe(
    text({
      OPENAI_API_KEY: null,
      tokens: { access_token: 'new', refresh_token: 'rt-new', future: { a: [1] } },
      x: 1,
      last_refresh: '2026-01-02T00:00:00.000Z',
    }),
  )
})

test('whatever else a file holds, at any level, comes through', () => {
  const unknown = fc.dictionary(fc.string(), fc.jsonValue())
  fc.assert(
    fc.property(unknown, unknown, (top, inTokens) => {
      const content = JSON.parse(JSON.stringify({ ...top, tokens: { ...inTokens, access_token: 'old' } }))
      const written = JSON.parse(JSON.stringify(withTokens(content, { access_token: 'new' }, 0)))
      const expected = { ...content, tokens: { ...content.tokens, access_token: 'new' } }
      expect(written).toEqual({ ...expected, last_refresh: '1970-01-01T00:00:00.000Z' })
    }),
  )
})

test('the file is written as Codex does: two spaces, no line break at the end', () => {
  expect(replaceAuthFile(path, nodeFs, replacement)).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  expect(readdirSync(home)).toEqual(['auth.json'])
})

test.each([0o644, 0o666, 0o600])('mode %o becomes that of the owner alone', (mode) => {
  chmodSync(path, mode)
  replaceAuthFile(path, nodeFs, replacement)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a proxy that runs as root leaves the file to its owner', () => {
  const owners: number[][] = []
  const files = {
    ...nodeFs,
    statSync: () => ({ uid: 1234, gid: 5678 }),
    fchownSync: (_file: number, uid: number, gid: number) => owners.push([uid, gid]),
  }
  replaceAuthFile(path, files as never, replacement)
  expect(owners).toEqual(process.getuid?.() === 0 ? [[1234, 5678]] : [])
})

test('a symbolic link stays, and the file it leads to is replaced', () => {
  const elsewhere = join(home, 'dotfiles')
  mkdirSync(elsewhere)
  rmSync(path)
  writeFileSync(join(elsewhere, 'real.json'), text(OLD))
  symlinkSync('dotfiles/real.json', path)
  replaceAuthFile(path, nodeFs, replacement)
  expect(lstatSync(path).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(elsewhere, 'real.json'), 'utf8')).toBe(text(NEW))
  expect(readdirSync(elsewhere)).toEqual(['real.json'])
})

test('a newer login that appears at the last moment stays', () => {
  expect(replaceAuthFile(path, nodeFs, { ...replacement, mayReplace: () => false })).toBe(false)
  expect(readFileSync(path, 'utf8')).toBe(text(OLD))
  expect(readdirSync(home)).toEqual(['auth.json'])
})

const STEPS = [
  'realpathSync',
  'statSync',
  'openSync',
  'fchmodSync',
  'writeSync',
  'fsyncSync',
  'closeSync',
  'renameSync',
]
test.each(STEPS)('when %s fails the old file is intact and nothing lies about', (step) => {
  const failing = () => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  }
  expect(() => replaceAuthFile(path, { ...nodeFs, [step]: failing } as Files, replacement)).toThrow('ENOSPC')
  expect(readFileSync(path, 'utf8')).toBe(text(OLD))
  expect(readdirSync(home)).toEqual(['auth.json'])
})

test('a disk that takes a few bytes at a time gets them all', () => {
  const writeSync = (file: number, bytes: Buffer, at: number) => nodeFs.writeSync(file, bytes, at, 1)
  replaceAuthFile(path, { ...nodeFs, writeSync: writeSync as never }, replacement)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
})

test('a file system that can’t sync folders is good enough', () => {
  const openSync = (name: string, flags: string, mode?: number) => {
    if (flags === 'r') throw new Error('EISDIR')
    return nodeFs.openSync(name, flags, mode)
  }
  expect(replaceAuthFile(path, { ...nodeFs, openSync: openSync as never }, replacement)).toBe(true)
})

/** What a process leaves behind that is killed right before it renames. */
function leaveBehind(content = NEW): string {
  const renameSync = () => {
    throw new Error('killed')
  }
  const files = { ...nodeFs, renameSync, rmSync: () => {} } as Files
  expect(() => replaceAuthFile(path, files, { ...replacement, content })).toThrow('killed')
  const leftover = readdirSync(home).find((name) => name !== 'auth.json')
  return join(home, leftover ?? 'none')
}

test('tokens that a killed process could only write beside the file are put in place', () => {
  leaveBehind()
  expect(adoptLeftover(path, nodeFs, 'rt-old')).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  expect(readdirSync(home)).toEqual(['auth.json'])
})

test('tokens of another refresh token, or cut off, are not', () => {
  const leftover = leaveBehind()
  expect(adoptLeftover(path, nodeFs, 'rt-another')).toBe(false)
  writeFileSync(leftover, '{"tokens":{"acc')
  expect(adoptLeftover(path, nodeFs, 'rt-old')).toBe(false)
  expect(readFileSync(path, 'utf8')).toBe(text(OLD))
})

test('what a killed process left behind is gone after the next write', () => {
  const leftover = leaveBehind()
  writeFileSync(leftover, '{"tokens":{"acc')
  writeFileSync(leftover.replace(/auth-\w+/, 'auth-0000'), 'of an older login')
  replaceAuthFile(path, nodeFs, replacement)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  expect(readdirSync(home)).toEqual(['auth.json'])
})
