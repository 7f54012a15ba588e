import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { plot } from '../bench/plot.ts'
import { GENERATED_DOCS } from '../scripts/generated-docs.ts'
import { CLIENT_NAMES, COMMANDS } from '../src/cli/commands.ts'
import { shownDefault } from '../src/cli/setting-flags.ts'
import { flagName, OPTION_NAMES } from '../src/config/load.ts'
import type { Option } from '../src/config/option.ts'
import { OPTIONS } from '../src/config/options.ts'
import { ERRORS } from '../src/error-table.ts'
import { createRouteTable } from '../src/http/route-table.ts'
import type { RouteContext } from '../src/routes/context.ts'
import { fixtureNames } from './fake-upstream/fixtures.ts'

const read = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8')

test.each(Object.entries(GENERATED_DOCS))(
  '%s is what the program says; `npm run docs` writes it',
  async (path, render) => {
    expect(await read(path)).toBe(render())
  },
)

test('no setting and no error is documented that the program does not use', async () => {
  const paths = (await typeScriptIn('src')).filter((path) => !/^src\/(?:config\/|error-table)|\.test\.ts$/.test(path))
  const program = (await Promise.all(paths.map(read))).join('\n')
  const words = new Set(program.match(/\w+/g))
  expect(OPTION_NAMES.filter((name) => !words.has(name))).toEqual([])
  expect(Object.keys(ERRORS).filter((code) => !program.includes(`'${code}'`))).toEqual([])
})

test('docs/cli.md has a section for every command, and none for others', async () => {
  const sections = [...(await read('docs/cli.md')).matchAll(/^### `(\w+)/gm)].map(([, name]) => name)
  expect(sections).toEqual(COMMANDS.filter(({ hidden }) => !hidden).map(({ name }) => name))
})

test('README gives settings the variables and defaults that they have', async () => {
  const options = new Map(Object.values<Option<unknown>>(OPTIONS).map((option) => [flagName(option), option]))
  const rows = [...(await read('README.md')).matchAll(/^\| `(--[\w-]+)` \| (.*) \| (.*) \|$/gm)]
  for (const [row, flag, variables, standard] of rows.filter(([, flag]) => flag !== '--foreground')) {
    const option = options.get(flag)
    expect(variables, row).toBe(option?.env?.map((name) => `\`${name}\``).join(', '))
    const shown = option && shownDefault(option)
    if (shown !== undefined) expect(standard, row).toContain(`\`${shown}\``)
  }
  expect(rows.length).toBeGreaterThan(1)
})

test('README names every client that `clients` knows', async () => {
  const [, section = ''] = /^## Clients$(.*?)^## /ms.exec(await read('README.md')) ?? []
  const isNamed = (name: string) => new RegExp(`\\b${name.replace(/-.*/, '')}`, 'i').test(section)
  expect(CLIENT_NAMES.filter((name) => !isNamed(name))).toEqual([])
})

test('README names every path that is served', async () => {
  const { entries } = createRouteTable({} as RouteContext, () => ({}))
  const served = entries.filter(({ fallback }) => !fallback)
  const names = served.map(({ path }) => path.replace('/v1/', '').replace('*', 'ID'))
  const readme = await read('README.md')
  expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
})

test('docs/architecture.md has a row for every file and folder of src, and none for what is not there', async () => {
  const rows = [...(await read('docs/architecture.md')).matchAll(/^\| `([\w./-]+)` \|/gm)].map(([, name = '']) => name)
  const paths = (await typeScriptIn('src')).filter((path) => !path.endsWith('.test.ts'))
  // A file at the top, or the folder of another. Those of the commands are described by one row.
  const entries = paths.map((path) => path.replace(/^src\//, '').replace(/\/[^/]+$/, '/'))
  const described = (entry: string) => rows.includes(entry) || entry.startsWith('cli/commands/')
  expect([...new Set(entries)].filter((entry) => !described(entry))).toEqual([])
  const isThere = (row: string) => ['../src/', '../'].some((base) => existsSync(new URL(base + row, import.meta.url)))
  expect(rows.filter((row) => !isThere(row))).toEqual([])
})

test('test/fixtures/INDEX.md has a row for every recorded case, and none for others', async () => {
  const rows = [...(await read('test/fixtures/INDEX.md')).matchAll(/^\| ([\w-]+-\w+) \|/gm)].map(([, name]) => name)
  expect(rows.toSorted()).toEqual(fixtureNames().toSorted())
})

test('CONTRIBUTING says of every dependency why it is there, and of no other package', async () => {
  const { dependencies, devDependencies } = JSON.parse(await read('package.json'))
  const [, section = ''] = (await read('CONTRIBUTING.md')).split('## Dependencies, and why')
  const explained = [...section.matchAll(/^\| ([^|]+) \| /gm)].slice(2).flatMap(([, names = '']) => names.split(', '))
  // `@langchain/*` stands for several.
  const names = Object.keys({ ...dependencies, ...devDependencies })
  const named = names.map((name) => explained.find((each) => each === name || each === name.replace(/\/.*/, '/*')))
  expect(new Set(named)).toEqual(new Set(explained))
})

test('commands to paste have no comments, which zsh, the shell of macOS, takes for more words and commands', async () => {
  const docs = (await readdir(new URL('../docs/', import.meta.url))).filter((name) => name.endsWith('.md'))
  const pages = ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}`)]
  const blocks = await Promise.all(
    pages.map(async (page) => (await read(page)).match(/^ *```sh$[\s\S]*?^ *```$/gm) ?? []),
  )
  expect(blocks.flat().length).toBeGreaterThan(0)
  expect(blocks.flat().filter((block) => /(?:^|\s)#/m.test(block))).toEqual([])
})

test('the picture of figures brings its own page, so that it is legible on any', async () => {
  const upToPage = (svg: string) => svg.slice(svg.indexOf('<style>'), svg.indexOf('<rect class="page"'))
  const style = upToPage(plot([]))
  expect(style).toContain('.page { fill: #ffffff }')
  expect(style).toContain('(prefers-color-scheme: dark) { .page { fill: #0d1117 }')
  expect(upToPage(await read('docs/performance.svg'))).toBe(style)
})

test('comments name sections that docs/upstream.md has', async () => {
  const headings = [...(await read('docs/upstream.md')).matchAll(/^#+ (\d+(?:\.\d+)?)/gm)].map(([, number]) => number)
  const named = await sectionsNamedIn(['src', 'test', 'scripts', 'bench'])
  expect(named.length).toBeGreaterThan(0)
  expect(named.filter(({ section }) => !headings.includes(section))).toEqual([])
})

/** `docs/upstream.md 4.2`, `docs/upstream.md 1.6, 2.3`, `docs/upstream.md 1.2–1.4`, also across lines of a comment. */
const NAMED = /docs\/upstream\.md (\d+(?:\.\d+)?(?:(?:, |–)\d+(?:\.\d+)?)*)/g

async function sectionsNamedIn(folders: readonly string[]): Promise<{ path: string; section: string }[]> {
  const files = await Promise.all(folders.map((folder) => typeScriptIn(folder)))
  const named = files.flat().map(async (path) => {
    const text = (await read(path)).replace(/\n\s*(?:\*|\/\/) /g, ' ')
    return [...text.matchAll(NAMED)].flatMap(([, sections = '']) =>
      sections.split(/, |–/).map((section) => ({ path, section })),
    )
  })
  return (await Promise.all(named)).flat()
}

async function typeScriptIn(folder: string): Promise<string[]> {
  const paths = await readdir(new URL(`../${folder}/`, import.meta.url), { recursive: true, encoding: 'utf8' })
  return paths.filter((path) => path.endsWith('.ts')).map((path) => `${folder}/${path}`)
}
