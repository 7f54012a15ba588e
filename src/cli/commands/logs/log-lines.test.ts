import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lastLines } from './log-lines.ts'

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

test('what was there before is not looked at', async () => {
  expect(await lastLines(await fileOf('before\nafter\n'), 10, 'before\n'.length)).toEqual(['after'])
})

test('no file has no lines', async () => {
  expect(await lastLines(join(folder, 'missing'), 5)).toEqual([])
})

test('a folder is named', async () => {
  await expect(lastLines(folder, 5)).rejects.toMatchObject({ code: 'EISDIR', path: folder })
})
