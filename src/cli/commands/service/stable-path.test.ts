import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isTemporary, stablePath } from './stable-path.ts'

let root: string
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'lasting-path-')))
})
afterEach(() => rm(root, { recursive: true }))

async function put(path: string): Promise<string> {
  const file = join(root, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, '')
  return file
}

async function link(path: string, to: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await symlink(join(root, to), join(root, path))
}

test.each([
  ['Cellar/node@24/24.1.0_1/bin/node', 'opt/node@24', 'Cellar/node@24/24.1.0_1', 'opt/node@24/bin/node'],
  [
    '5/.pnpm/us@0.2.0/node_modules/us/dist/main.js',
    '5/node_modules/us',
    '5/.pnpm/us@0.2.0/node_modules/us',
    '5/node_modules/us/dist/main.js',
  ],
  [
    'node_modules/.pnpm/us@1/node_modules/us/main.js',
    'node_modules/us',
    'node_modules/.pnpm/us@1/node_modules/us',
    'node_modules/us/main.js',
  ],
  ...['latest', 'lts', '24'].map((name) => [
    'mise/installs/node/24.1.0/bin/node',
    `mise/installs/node/${name}`,
    'mise/installs/node/24.1.0',
    `mise/installs/node/${name}/bin/node`,
  ]),
  [
    'mise/installs/npm-us/0.2.0/lib/node_modules/us/main.js',
    'mise/installs/npm-us/latest',
    'mise/installs/npm-us/0.2.0',
    'mise/installs/npm-us/latest/lib/node_modules/us/main.js',
  ],
] as [string, string, string, string][])(
  '%s is found by the link that an upgrade moves',
  async (path, from, to, lasting) => {
    const file = await put(path)
    await link(from, to)
    expect(stablePath(file)).toBe(join(root, lasting))
  },
)

test('a path stays where there is no such link, or one to another version', async () => {
  const file = await put('Cellar/node/24.1.0/bin/node')
  expect(stablePath(file)).toBe(file)
  await put('Cellar/node/26.0.0/bin/node')
  await link('opt/node', 'Cellar/node/26.0.0')
  expect(stablePath(file)).toBe(file)
  expect(stablePath('/usr/bin/node')).toBe('/usr/bin/node')
})

test('a path through the link that fnm makes for one shell is that of the program itself', async () => {
  const installation = 'fnm/node-versions/v20.19.0/installation'
  const file = await put(`${installation}/lib/node_modules/us/dist/main.js`)
  await link(`${installation}/bin/us`, `${installation}/lib/node_modules/us/dist/main.js`)
  await link('run/fnm_multishells/4711_1790000000000', installation)
  expect(stablePath(join(root, 'run/fnm_multishells/4711_1790000000000/bin/us'))).toBe(file)
})

test.each([
  ['/home/me/.npm/_npx/8672f68a3708dfe5/node_modules/.bin/codex-api-proxy', true],
  ['/home/me/.cache/pnpm/dlx/1a2b/18f/node_modules/codex-api-proxy/dist/main.js', true],
  ['/var/folders/zz/T/xfs-1a2b/dlx-4711/node_modules/codex-api-proxy/dist/main.js', true],
  ['/var/folders/zz/T/bunx-1000-codex-api-proxy@latest/node_modules/codex-api-proxy/dist/main.js', true],
  ['C:\\Users\\me\\AppData\\Local\\npm-cache\\_npx\\1a2b\\node_modules\\codex-api-proxy\\dist\\main.js', true],
  ['/usr/lib/node_modules/codex-api-proxy/dist/main.js', false],
  ['/home/dlxfan/my_npx/codex-api-proxy/dist/main.js', false],
])('%s is there for one run alone: %s', (program, is) => {
  expect(isTemporary(program)).toBe(is)
})
