import * as nodeFs from 'node:fs'
import {
  chmodSync,
  chownSync,
  existsSync,
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
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { isLegible } from '../../test/support/legible-names.ts'
import { playPlatform } from '../../test/support/platform.ts'
import type { Files } from './auth-file.ts'
import { isWritable, mendAuthFile, removeWritten, replaceAuthFile, withTokens } from './auth-file-write.ts'
import { leftTokens } from './leftovers.ts'

let home: string
let path: string
const OLD = { OPENAI_API_KEY: null, tokens: { access_token: 'old', refresh_token: 'rt-old', future: { a: [1] } }, x: 1 }
const NEW = withTokens(OLD, { access_token: 'new', refresh_token: 'rt-new' }, Date.UTC(2026, 0, 2))
const text = (content: unknown) => JSON.stringify(content, null, 2)
const replacement = { json: text(NEW), spentToken: 'rt-old', mayReplace: () => true }

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
  const unknown = fc.dictionary(fc.string().filter(isLegible), fc.jsonValue())
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

test('a proxy that runs as root gives the file that replaces the old one to its owner', () => {
  const before = inode()
  const isRoot = process.getuid?.() === 0
  const owners: number[][] = []
  const files = {
    ...nodeFs,
    statSync: () => ({ uid: 1234, gid: 5678 }),
    fchownSync: (_file: number, uid: number, gid: number) => owners.push([uid, gid]),
  }
  replaceAuthFile(path, files as never, replacement)
  expect(owners).toEqual(isRoot ? [[1234, 5678]] : [])
  expect(inode() !== before).toBe(isRoot)
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
  expectTokensBeside()
})

const STEPS = ['realpathSync', 'statSync', 'openSync', 'fchmodSync', 'writeSync', 'fsyncSync', 'closeSync']
test.each(STEPS)('when %s fails the old file is intact and nothing lies about', (step) => {
  const failing = () => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  }
  expect(() => replaceAuthFile(path, { ...nodeFs, [step]: failing } as Files, replacement)).toThrow('ENOSPC')
  expect(readFileSync(path, 'utf8')).toBe(text(OLD))
  expect(readdirSync(home)).toEqual(['auth.json'])
})

test('when the file can’t be replaced for now it is intact, and the tokens lie beside it until they are in it', () => {
  const files = { ...nodeFs, renameSync: failWith('ENOSPC') }
  expect(() => replaceAuthFile(path, files, replacement)).toThrow('ENOSPC')
  expect(readFileSync(path, 'utf8')).toBe(text(OLD))
  expect(leftTokens(path, nodeFs, 'rt-old')?.tokens.refresh_token).toBe('rt-new')
  expect(() => replaceAuthFile(path, files, replacement)).toThrow('ENOSPC')
  expect(leftTokens(path, nodeFs, 'rt-old')?.tokens.refresh_token).toBe('rt-new')
  replaceAuthFile(path, nodeFs, replacement)
  expect(readdirSync(home)).toEqual(['auth.json'])
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
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

test('what fails after the file was replaced is no failure', () => {
  const files = { ...nodeFs, readdirSync: failWith('EMFILE') } as Files
  expect(replaceAuthFile(path, files, replacement)).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
})

test.each(['EPERM', 'EINVAL', 'ENOTSUP', 'ENOSYS'])('a mode that can’t be changed (%s) is no obstacle', (code) => {
  expect(replaceAuthFile(path, { ...nodeFs, fchmodSync: failWith(code) } as Files, replacement)).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
})

const LONGER = { ...NEW, added: 'x'.repeat(9000) }
const inode = () => statSync(path).ino

test.each([
  ['is a mount of its own', 'renameSync', 'EBUSY'],
  ['is of another file system', 'renameSync', 'EXDEV'],
  ['lies in a folder where only its owner may replace it', 'renameSync', 'EPERM'],
])('a file that %s is written in place, longer or shorter', (_name, step, code) => {
  const files = { ...nodeFs, [step]: failWith(code) } as Files
  const before = inode()
  expect(replaceAuthFile(path, files, { ...replacement, json: text(LONGER) })).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe(text(LONGER))
  expect(replaceAuthFile(path, files, replacement)).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  expect([inode(), statSync(path).mode & 0o777]).toEqual([before, 0o600])
  expect(readdirSync(home)).toEqual(['auth.json'])
})

test('a file without spaces is written in place too, and copy, file and folder are synced and closed', () => {
  writeFileSync(path, JSON.stringify(OLD))
  const files = {
    ...nodeFs,
    renameSync: failWith('EBUSY'),
    openSync: vi.fn(nodeFs.openSync),
    fsyncSync: vi.fn(nodeFs.fsyncSync),
    closeSync: vi.fn(nodeFs.closeSync),
  }
  replaceAuthFile(path, files as Files, replacement)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  for (const step of ['openSync', 'fsyncSync', 'closeSync'] as const) expect(files[step]).toHaveBeenCalledTimes(3)
})

test.each(['EACCES', 'EPERM', 'EROFS'])('in a folder that takes no file (%s) it is written in place', (code) => {
  const before = inode()
  expect(replaceAuthFile(path, { ...nodeFs, openSync: refusingNewFiles(code) } as Files, replacement)).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  expect(inode()).toBe(before)
})

test.runIf(process.getuid?.() === 0)('a root that may not give files away writes in place, so the owner stays', () => {
  chownSync(path, 1234, 5678)
  expect(replaceAuthFile(path, { ...nodeFs, fchownSync: failWith('EPERM') } as Files, replacement)).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  expect(statSync(path)).toMatchObject({ uid: 1234, gid: 5678 })
  expect(readdirSync(home)).toEqual(['auth.json'])
})

/** The owners of file and folder as they may be seen; every other piece of what is known of them is true. */
const ownedBy = (fileOwner: number, folderOwner: number) => (name: string) =>
  Object.assign(statSync(name), { uid: name === home ? folderOwner : fileOwner })

test.each([
  ['another user shares by a group stays theirs', ownedBy(1234, 1234), true],
  ['somebody else put into a folder of ours is replaced', ownedBy(1234, 4321), false],
  ['is root’s is replaced', ownedBy(0, 1234), false],
])('a file that %s', (_name, statSyncSeen, inPlace) => {
  const before = inode()
  asUser(4321, () => replaceAuthFile(path, { ...nodeFs, statSync: statSyncSeen } as never, replacement))
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  expect(inode() === before).toBe(inPlace)
  expect(readdirSync(home)).toEqual(['auth.json'])
})

function asUser(user: number, work: () => void): void {
  const { geteuid } = process
  Object.assign(process, { geteuid: () => user })
  try {
    work()
  } finally {
    Object.assign(process, { geteuid })
  }
}

test('a newer login that appears at the last moment is not written over in place either', () => {
  const files = { ...nodeFs, renameSync: failWith('EBUSY') } as Files
  expect(replaceAuthFile(path, files, { ...replacement, mayReplace: () => false })).toBe(false)
  expect(readFileSync(path, 'utf8')).toBe(text(OLD))
  expectTokensBeside()
})

/** Until they are written or given up, and nothing else. */
function expectTokensBeside(): void {
  expect(leftTokens(path, nodeFs, 'rt-old')?.tokens).toEqual({ access_token: 'new', refresh_token: 'rt-new' })
  removeWritten(path, nodeFs, 'rt-old')
  expect(readdirSync(home)).toEqual(['auth.json'])
}

test('a full disk in the midst of writing in place: the old content is put back, the new tokens lie beside it', () => {
  const files = { ...nodeFs, renameSync: failWith('EBUSY'), writeSync: fullBeyond(text(OLD).length) as never }
  expect(() => replaceAuthFile(path, files, { ...replacement, json: text(LONGER) })).toThrow('ENOSPC')
  expect(readFileSync(path, 'utf8')).toBe(text(OLD))
  expect(leftTokens(path, nodeFs, 'rt-old')?.tokens).toEqual({ access_token: 'new', refresh_token: 'rt-new' })
})

test('tokens left beside the file stay until others are complete', () => {
  leaveBehind()
  const files = { ...nodeFs, fsyncSync: failWith('EIO') } as Files
  expect(() => replaceAuthFile(path, files, replacement)).toThrow('EIO')
  expect(leftTokens(path, nodeFs, 'rt-old')?.tokens).toEqual({ access_token: 'new', refresh_token: 'rt-new' })
})

test.each([0, 1, 2, 3, 4, 5])('killed at call %i of writing in place: the next process completes it', (kept) => {
  const files: Files = { ...nodeFs, ...(dyingInPlace(kept) as object) }
  expect(() => replaceAuthFile(path, files, replacement)).toThrow('killed')
  const torn = readFileSync(path, 'utf8')
  if (torn !== text(OLD) && torn !== text(NEW)) expect(torn).toMatch(/^#/)
  expect(mendAuthFile(path, nodeFs)).toBe(torn.startsWith('#'))
  expect([text(OLD), text(NEW)]).toContain(readFileSync(path, 'utf8'))
  if (!torn.startsWith('#')) return
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  expect(readdirSync(home), 'the copy holds tokens').toEqual(['auth.json'])
})

test('a file that is malformed for other reasons is not touched', () => {
  leaveBehind()
  writeFileSync(path, '{"tokens":')
  expect(mendAuthFile(path, nodeFs)).toBe(false)
  expect(readFileSync(path, 'utf8')).toBe('{"tokens":')
})

test('a file that was being written in place without a copy beside it stays as it is', () => {
  writeFileSync(path, '#"tokens":')
  expect(mendAuthFile(path, nodeFs)).toBe(false)
})

test('a file that is gone is mended by nobody, and whether it could be written is for reading to say', () => {
  rmSync(path)
  expect(mendAuthFile(path, nodeFs)).toBe(false)
  expect(isWritable(path, nodeFs)).toBe(true)
})

test('what has failed for another reason than permission may succeed the next time', () => {
  expect(isWritable(path, { ...nodeFs, openSync: failWith('EMFILE') })).toBe(true)
})

test('what is left beside the file and can not be removed is no failure', () => {
  expect(() => removeWritten(path, { ...nodeFs, rmSync: failWith('EBUSY') }, 'rt-old')).not.toThrow()
})

test('what can be written is known before', () => {
  expect(isWritable(path, nodeFs)).toBe(true)
  // A file for reading in a folder that takes others: it can be replaced.
  expect(isWritable(path, { ...nodeFs, openSync: failWith('EACCES') } as Files)).toBe(true)
  // A file for reading in a folder for reading.
  const readOnly = { ...nodeFs, openSync: failWith('EACCES'), accessSync: failWith('EACCES') } as Files
  expect(isWritable(path, readOnly)).toBe(false)
  // A mount for reading, of the folder or of the file alone.
  expect(isWritable(path, { ...nodeFs, openSync: failWith('EROFS') } as Files)).toBe(false)
  // A file that is immutable.
  expect(isWritable(path, { ...nodeFs, openSync: failWith('EPERM') } as Files)).toBe(false)
  // Another user's file for reading, which must not be taken from them.
  const theirs = { ...nodeFs, openSync: failWith('EACCES'), statSync: ownedBy(1234, 1234) }
  asUser(4321, () => expect(isWritable(path, theirs as never)).toBe(false))
  // A file that can be written in a folder that takes no others.
  expect(isWritable(path, { ...nodeFs, accessSync: failWith('EROFS') } as Files)).toBe(true)
  // A file for reading that is a mount of its own.
  const mounted = (name: string) => ({ dev: name === home ? 1 : 2 })
  expect(isWritable(path, { ...nodeFs, openSync: failWith('EACCES'), statSync: mounted } as never)).toBe(false)
})

function refusingNewFiles(code: string) {
  return (name: string, flags: string, mode?: number) => {
    if (flags === 'wx') failWith(code)()
    return nodeFs.openSync(name, flags, mode)
  }
}

/** The temporary file can still be written; the one in place can't grow. */
function fullBeyond(size: number) {
  return (file: number, bytes: Buffer, at: number, length?: number, position?: number) => {
    if (position === undefined) return nodeFs.writeSync(file, bytes, at)
    if (position >= size) failWith('ENOSPC')()
    return nodeFs.writeSync(file, bytes, at, Math.min(length ?? 0, size - position), position)
  }
}

/** Lets so many writing calls on the file itself through, a third of the text at a time, then no call at all. */
function dyingInPlace(kept: number) {
  let left = kept
  const step = () => {
    if (left-- <= 0) throw new Error('killed')
  }
  return {
    renameSync: failWith('EBUSY'),
    writeSync(file: number, bytes: Buffer, at: number, length?: number, position?: number) {
      if (position === undefined) return nodeFs.writeSync(file, bytes, at)
      step()
      return nodeFs.writeSync(file, bytes, at, Math.min(length ?? 0, Math.ceil(bytes.length / 3)), position)
    },
    ftruncateSync(file: number, length: number) {
      step()
      nodeFs.ftruncateSync(file, length)
    },
  }
}

/** What a process leaves behind that is killed right before it renames. */
function leaveBehind(content = NEW): string {
  const renameSync = () => {
    throw new Error('killed')
  }
  const files = { ...nodeFs, renameSync, rmSync: () => {} } as Files
  expect(() => replaceAuthFile(path, files, { ...replacement, json: text(content) })).toThrow('killed')
  const leftover = readdirSync(home).find((name) => name !== 'auth.json')
  return join(home, leftover ?? 'none')
}

/** As the proxy does it before it spends a refresh token. */
function adopt(spentToken: string): boolean {
  const left = leftTokens(path, nodeFs, spentToken)
  if (left === undefined) return false
  const content = withTokens(JSON.parse(readFileSync(path, 'utf8')), left.tokens, left.refreshedAt)
  return replaceAuthFile(path, nodeFs, { ...replacement, json: text(content), spentToken })
}

test('tokens that a killed process could only write beside the file are put in place', () => {
  leaveBehind()
  expect(adopt('rt-old')).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  expect(readdirSync(home)).toEqual(['auth.json'])
})

test('tokens of another refresh token, without a time or cut off, are not', () => {
  const leftover = leaveBehind()
  expect(adopt('rt-another')).toBe(false)
  writeFileSync(leftover, text({ ...NEW, last_refresh: undefined }))
  expect(adopt('rt-old')).toBe(false)
  writeFileSync(leftover, '{"tokens":{"acc')
  expect(adopt('rt-old')).toBe(false)
  expect(readFileSync(path, 'utf8')).toBe(text(OLD))
})

test('on Windows a file that somebody has open is left alone, and the tokens lie beside it until the next try', () => {
  const leave = playPlatform('win32')
  const files = { ...nodeFs, renameSync: failWith('EPERM') }
  expect(() => replaceAuthFile(path, files, replacement)).toThrow('EPERM')
  expect(readFileSync(path, 'utf8')).toBe(text(OLD))
  expect(leftTokens(path, nodeFs, 'rt-old')?.tokens.refresh_token).toBe('rt-new')
  leave()
  replaceAuthFile(path, nodeFs, replacement)
  expect(readdirSync(home)).toEqual(['auth.json'])
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
})

test('the newest tokens beside the file stay there when a later write fails', () => {
  const newer = (minute: number) =>
    withTokens(OLD, { access_token: `new${minute}`, refresh_token: 'rt-new' }, Date.UTC(2026, 0, 2, 0, minute))
  leaveBehind(newer(1))
  leaveBehind(newer(2))
  const writeSync = () => {
    throw new Error('full')
  }
  expect(() => replaceAuthFile(path, { ...nodeFs, writeSync } as Files, replacement)).toThrow('full')
  expect(adopt('rt-old')).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe(text(newer(2)))
})

test('what others have put beside the file stays', () => {
  const others = ['.auth.json-backup', '.auth.json-trial.codex-api-proxy.tmp.old', 'notes.codex-api-proxy.tmp']
  for (const name of others) writeFileSync(join(home, name), 'theirs')
  replaceAuthFile(path, nodeFs, replacement)
  expect(readdirSync(home).sort()).toEqual([...others, 'auth.json'].sort())
})

test('what is left of one login neither goes with another in the same folder nor mends it', () => {
  const leftover = leaveBehind()
  for (const name of ['auth.json-2', 'auth', 'work.json']) {
    const other = join(home, name)
    writeFileSync(other, text(OLD))
    replaceAuthFile(other, nodeFs, { ...replacement, spentToken: 'rt-other' })
    writeFileSync(other, '#half of a login')
    expect(mendAuthFile(other, nodeFs)).toBe(false)
  }
  expect(existsSync(leftover)).toBe(true)
  expect(adopt('rt-old')).toBe(true)
})

test('what a killed process left behind is gone after the next write', () => {
  const leftover = leaveBehind()
  writeFileSync(leftover, '{"tokens":{"acc')
  writeFileSync(leftover.replace(/json-\w{16}/, `json-${'0'.repeat(16)}`), 'of an older login')
  replaceAuthFile(path, nodeFs, replacement)
  expect(readFileSync(path, 'utf8')).toBe(text(NEW))
  expect(readdirSync(home)).toEqual(['auth.json'])
})
