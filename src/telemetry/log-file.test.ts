import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { playPlatform } from '../../test/support/platform.ts'
import { olderLogOf, openLogFile } from './log-file.ts'

vi.mock(import('node:fs'), { spy: true })

const real = await vi.importActual<typeof import('node:fs')>('node:fs')
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-file-'))
})
afterEach(() => {
  vi.resetAllMocks()
  rmSync(folder, { recursive: true })
})

test('lines are appended at once, to a file its owner alone can read', () => {
  const path = join(folder, 'proxy.log')
  writeFileSync(path, 'before\n', { mode: 0o644 })
  const log = openLogFile(path, 1000)
  log.write('one\n')
  expect(readFileSync(path, 'utf8')).toBe('before\none\n')
  log.close()
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('what is no file keeps its mode: as root a log to /dev/null took that from everybody', () => {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  chmodSync(path, 0o666)
  const reader = openSync(path, 'r+')
  const log = openLogFile(path, 1000)
  log.write('one\n')
  log.close()
  closeSync(reader)
  expect(statSync(path).mode & 0o777).toBe(0o666)
})

test('a line that would pass the limit begins a new file, and one older file is kept', () => {
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 10)
  for (const line of ['first 9.\n', 'second 9\n', 'third 99\n']) log.write(line)
  log.close()
  expect(readFileSync(path, 'utf8')).toBe('third 99\n')
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('second 9\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('on Windows, which replaces no open file, the log is rotated again and again, and nothing else is left', () => {
  playPlatform('win32')
  vi.mocked(renameSync).mockImplementation((from, to) =>
    existsSync(to) ? failWith('EPERM')() : real.renameSync(from, to),
  )
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 10)
  for (const line of ['first 9.\n', 'second 9\n', 'third 99\n', 'fourth 9\n']) log.write(line)
  log.close()
  expect(readFileSync(path, 'utf8')).toBe('fourth 9\n')
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('third 99\n')
  expect(readdirSync(folder)).toEqual(['proxy.log', 'proxy.log.1'])
})

test('a line longer than the limit is written whole', () => {
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 10)
  log.write('longer than ten bytes\n')
  log.close()
  expect(readFileSync(path, 'utf8')).toBe('longer than ten bytes\n')
  // Where an older log would be lost.
  expect(existsSync(`${path}.1`)).toBe(false)
})

test('lines that fill a file exactly to its limit stay in it', () => {
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 18)
  for (const line of ['first 9.\n', 'second 9\n']) log.write(line)
  log.close()
  expect(readFileSync(path, 'utf8')).toBe('first 9.\nsecond 9\n')
})

test('the log is opened once and anew after each rotation, and what was opened is closed', () => {
  vi.mocked(openSync).mockClear()
  vi.mocked(closeSync).mockClear()
  const log = openLogFile(join(folder, 'proxy.log'), 20)
  for (const line of ['first 9.\n', 'second 9\n', 'third 99\n']) log.write(line)
  log.close()
  expect(openSync).toHaveBeenCalledTimes(2)
  const opened = vi.mocked(openSync).mock.results.map(({ value }) => value)
  expect(vi.mocked(closeSync).mock.calls.flat()).toEqual(opened)
})

test('a log that cannot be renamed grows on', () => {
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 10)
  log.write('first 9.\n')
  vi.mocked(openSync).mockClear()
  vi.mocked(renameSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('permission denied'), { code: 'EACCES' })
  })
  log.write('second 9\n')
  log.close()
  expect(readFileSync(path, 'utf8')).toBe('first 9.\nsecond 9\n')
  expect(openSync).not.toHaveBeenCalled()
})

test('a full disk loses lines, not the program, and what was lost is counted', () => {
  let room = 8
  const write = (file: number, bytes: Buffer, offset: number) => {
    if (room <= 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    const part = bytes.subarray(offset, offset + room)
    room -= part.length
    return writeSync(file, part)
  }
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 1000, write)
  for (const lines of ['fits\n', 'is cut\n', 'is lost\nand another\n']) log.write(lines)
  room = 1000
  log.write('fits again\n')
  log.close()

  const [first, cut, report, last] = readFileSync(path, 'utf8').split('\n')
  expect([first, cut, last]).toEqual(['fits', 'is ', 'fits again'])
  expect(JSON.parse(report ?? '')).toMatchObject({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    dropped: 3,
  })
})

test('a single line that was lost is told too', () => {
  const path = join(folder, 'proxy.log')
  let isFull = true
  const log = openLogFile(path, 1000, (file, bytes) => {
    if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    return writeSync(file, bytes)
  })
  log.write('lost\n')
  isFull = false
  log.write('kept\n')
  log.close()
  expect(readFileSync(path, 'utf8')).toMatch(/"dropped":1,.*\nkept\n$/)
})

test('a device that is always full stops nothing', () => {
  const path = join(folder, 'proxy.log')
  symlinkSync('/dev/full', path) // full(4)
  const log = openLogFile(path, 1000)
  log.write('lost\n')
  log.close()
})

test('without a file descriptor for the new file the log goes on under its name, and is rotated when there is one', () => {
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 10)
  log.write('first 9.\n')
  vi.mocked(openSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  })
  log.write('second 9\n')
  expect(readFileSync(path, 'utf8')).toBe('first 9.\nsecond 9\n')
  log.write('third 99\n')
  log.close()
  expect(readFileSync(path, 'utf8')).toBe('third 99\n')
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('first 9.\nsecond 9\n')
})

test('a former file that can not be closed is let go: its number may be that of a connection by the next line', () => {
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 20)
  log.write('first line\n')
  vi.mocked(closeSync).mockImplementationOnce((file) => {
    real.closeSync(file)
    failWith('ENOSPC')()
  })
  log.write('second line\n')
  expect([readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')]).toEqual(['first line\n', 'second line\n'])
  log.write('third\n')
  expect(readFileSync(path, 'utf8')).toBe('second line\nthird\n')
  vi.mocked(closeSync).mockImplementationOnce(failWith('ENOSPC'))
  log.close()
})

test('a log that somebody removed begins anew with the next line', () => {
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 1000)
  log.write('first\n')
  rmSync(path)
  log.write('second\n')
  log.close()
  expect(readFileSync(path, 'utf8')).toBe('second\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a link in place of the log stays, and what it leads to is rotated there', () => {
  const [path, target] = [join(folder, 'proxy.log'), join(folder, 'on-another-disk')]
  symlinkSync(target, path)
  const log = openLogFile(path, 10)
  for (const line of ['first 9.\n', 'second 9\n', 'third 99\n']) log.write(line)
  // Where the new file can't be opened the old one is moved back.
  vi.mocked(openSync).mockImplementationOnce(failWith('EMFILE'))
  log.write('fourth 9\n')
  log.close()
  expect(readlinkSync(path)).toBe(target)
  expect(readFileSync(target, 'utf8')).toBe('third 99\nfourth 9\n')
  expect(olderLogOf(path)).toBe(`${target}.1`)
})

test('a log that was moved is left alone, and the file that took its name is added to', () => {
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 20)
  log.write('first\n')
  // As logrotate does with `create`.
  renameSync(path, `${path}-yesterday`)
  writeFileSync(path, '')
  for (const line of ['second 9\n', 'third 99\n', 'fourth 9\n']) log.write(line)
  log.close()
  expect(readFileSync(`${path}-yesterday`, 'utf8')).toBe('first\n')
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('second 9\nthird 99\n')
  expect(readFileSync(path, 'utf8')).toBe('fourth 9\n')
})

test('a log that was emptied is rotated by its new length', () => {
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 20)
  log.write('first 9.\n')
  truncateSync(path) // logrotate's `copytruncate`
  for (const line of ['second 9\n', 'third 99\n']) log.write(line)
  log.close()
  expect(readFileSync(path, 'utf8')).toBe('second 9\nthird 99\n')
})

test('without its folder the log is still written, and found again when the folder is back', () => {
  const below = join(folder, 'below')
  const path = join(below, 'proxy.log')
  mkdirSync(below)
  const log = openLogFile(path, 1000)
  renameSync(below, join(folder, 'aside'))
  log.write('first\n')
  mkdirSync(below)
  log.write('second\n')
  log.close()
  expect(readFileSync(join(folder, 'aside', 'proxy.log'), 'utf8')).toBe('first\n')
  expect(readFileSync(path, 'utf8')).toBe('second\n')
})

test('nothing is written after close', () => {
  const path = join(folder, 'proxy.log')
  const log = openLogFile(path, 1000)
  log.close()
  log.write('late\n')
  log.close()
  expect(readFileSync(path, 'utf8')).toBe('')
})
