import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const folder = new URL('./', import.meta.url)
const document = await readFile(new URL('../../SECURITY.md', folder), 'utf8')
const rows = document
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)

async function testSources(): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.test.ts') && name !== 'threat-table.test.ts')
  return (await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')))).join('\n')
}

test('every line of the threat table names its test', () => {
  expect(rows.length).toBeGreaterThan(20)
  for (const row of rows) expect(row.split('|').at(-2), row).toMatch(/\*.+\*|`[^`]+\.test\.ts`|`test\/faults\/`/)
})

test('every test that is named exists', async () => {
  const sources = await testSources()
  const named = rows.flatMap((row) =>
    [...(row.split('|').at(-2) ?? '').matchAll(/\*([^*]+)\*/g)].map(([, name = '']) => name),
  )
  expect(named.length).toBeGreaterThan(20)
  for (const name of named) {
    for (const part of name.split('…')) expect(sources, name).toContain(part.trim())
  }
})
