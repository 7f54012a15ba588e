import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { findLast, lastLines, showLines } from './log-lines.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-lines-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function fileOf(text: string): Promise<string> {
  const path = join(folder, 'log')
  await writeFile(path, text)
  return path
}

test.each([
  ['', 3, []],
  ['one\n', 3, ['one']],
  ['one\ntwo\nthree\n', 2, ['two', 'three']],
  ['one\ntwo\nunfinished', 2, ['two', 'unfinished']],
  ['one\n', 0, []],
  ['of a crash\r\n\r\non Windows\r\n', 3, ['of a crash', '', 'on Windows']],
])('of %j the last %i lines', async (text, count, lines) => {
  expect(await lastLines(await fileOf(text), count)).toEqual(lines)
})

test('lines longer than one piece come whole', async () => {
  const long = 'ä'.repeat(100_000)
  expect(await lastLines(await fileOf(`first\n${long}\nlast\n`), 2)).toEqual([long, 'last'])
})

test('a log may be larger than the memory: lines are shown while the rest is still to be read', async () => {
  const text = Array.from({ length: 50_000 }, (_, number) => `line ${number}\n`).join('')
  const file = await open(await fileOf(text))
  const read = vi.spyOn(file, 'read')
  try {
    const last = await findLast(file, 40_000, { from: 0, to: text.length })
    expect(last.count).toBe(40_000)
    read.mockClear()
    const readsBefore = new Map<string, number>()
    await showLines(file, last, (line) => readsBefore.set(line, read.mock.calls.length))
    expect([...readsBefore.keys()]).toEqual(text.split('\n').slice(10_000, -1))
    expect(readsBefore.get('line 10000')).toBe(1)
    expect(readsBefore.get('line 49999')).toBeGreaterThan(2)
  } finally {
    await file.close()
  }
})

test('what nobody reads any more is read no further', async () => {
  const text = 'line\n'.repeat(50_000)
  const file = await open(await fileOf(text))
  try {
    const shown: string[] = []
    const last = { from: 0, to: text.length }
    await showLines(
      file,
      last,
      (line) => shown.push(line),
      () => shown.length > 0,
    )
    expect(shown.length).toBeLessThan(50_000 / 2)
  } finally {
    await file.close()
  }
})

test('what was there before is not looked at', async () => {
  expect(await lastLines(await fileOf('before\nafter\n'), 10, 'before\n'.length)).toEqual(['after'])
})

test('no file has no lines', async () => {
  expect(await lastLines(join(folder, 'missing'), 5)).toEqual([])
})

test('a pipe has no lines, and is not waited for: a start that failed would never end', async () => {
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  // Whoever waits all the same does so until this test has failed, and is let go then.
  onTestFinished(() => closeSync(openSync(pipe, constants.O_RDWR)))
  expect(await lastLines(pipe, 5)).toEqual([])
})

test('a folder is named', async () => {
  await expect(lastLines(folder, 5)).rejects.toMatchObject({ code: 'EISDIR', path: folder })
})
