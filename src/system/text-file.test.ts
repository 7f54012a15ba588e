import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readText, textIn } from './text-file.ts'

const SOURCES = fileURLToPath(new URL('..', import.meta.url))

test('a text is read as bytes: Node would abort if a file that it reads as text could not be closed', () => {
  const options: unknown[] = []
  const read = (_path: unknown, ...more: unknown[]) => {
    options.push(...more)
    return Buffer.from('Grüße')
  }
  expect(readText('any', { readFileSync: read as never })).toBe('Grüße')
  expect(options).toEqual([])
})

test('what need not be there is read only if it is a file: a pipe would block, and a device may never end', () => {
  expect(textIn('/dev/null')).toBeUndefined()
  if (process.platform === 'linux') expect(textIn('/proc/self/stat')).toContain(`${process.pid} (`)
  const folder = mkdtempSync(join(tmpdir(), 'text-file-'))
  try {
    const [file, pipe] = [join(folder, 'file'), join(folder, 'pipe')]
    writeFileSync(file, 'a text')
    execFileSync('mkfifo', [pipe])
    const texts = [file, pipe, folder, join(folder, 'nowhere')].map(textIn)
    expect(texts).toEqual(['a text', undefined, undefined, undefined])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('no source lets Node read a file as text at once', () => {
  const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(?<!\.test)\.ts$/.test(name),
  )
  expect(sources.length).toBeGreaterThan(100)
  expect(sources.filter((name) => /readFileSync\([^\n]*'utf/.test(codeOf(name)))).toEqual([])
})

function codeOf(name: string): string {
  // Comments may name what must not be called.
  return readFileSync(join(SOURCES, name), 'utf8').replace(/^ *(?:\/\/|\/?\*).*$/gm, '')
}
