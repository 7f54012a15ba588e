import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { GENERATED_DOCS } from '../scripts/generated-docs.ts'
import { COMMANDS } from '../src/cli/commands.ts'

const read = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8')

test.each(Object.entries(GENERATED_DOCS))(
  '%s is what the program says; `npm run docs` writes it',
  async (path, render) => {
    expect(await read(path)).toBe(render())
  },
)

test('docs/cli.md has a section for every command, and none for others', async () => {
  const sections = [...(await read('docs/cli.md')).matchAll(/^### `(\w+)/gm)].map(([, name]) => name)
  expect(sections).toEqual(COMMANDS.filter(({ hidden }) => !hidden).map(({ name }) => name))
})
