import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatgptAuth } from '../support/auth-files.ts'
import { createHome, type Home } from '../support/program.ts'

const run = promisify(execFile)
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

let folder: string
let home: Home
let packed: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'codex-api-proxy-package-'))
  home = await createHome()
  // The program is built already, and building again would pull it from under tests that run beside this one.
  const arguments_ = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = await run('npm', arguments_, { cwd: REPOSITORY })
  const reported: unknown = JSON.parse(stdout)
  // Older versions of npm report a list, newer ones an object by package name.
  const [pack] = Object.values(reported as Record<string, { files: { path: string }[]; filename: string }>)
  packed = (pack?.files ?? []).map(({ path }) => path)
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${pack?.filename}`]
  await run('npm', install, { cwd: folder })
}, 300_000)

afterAll(async () => {
  await home.remove()
  await rm(folder, { recursive: true, force: true })
})

test('the package holds the program and its papers, and nothing else', () => {
  const others = packed.filter((path) => !/^(dist\/.+\.js|docs\/[a-z-]+\.(md|svg))$/.test(path))
  const documents = ['CHANGELOG.md', 'CONTRIBUTING.md', 'README.md', 'SECURITY.md']
  const papers = [...documents, 'LICENSE', 'npm-shrinkwrap.json', 'package.json']
  expect(papers).toEqual(expect.arrayContaining(others))
  expect(others).toEqual(expect.arrayContaining(['LICENSE', 'npm-shrinkwrap.json', 'package.json']))
  expect(packed.filter((path) => /\.test\.|(^|\/)(test|bench|fixtures|fake-upstream)\//.test(path))).toEqual([])
})

test('every link of a document in the package leads to a file in it, or to a page of the repository', async () => {
  const { repository } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'))
  const pages = `${/https:.*(?=\.git$)/.exec(repository.url)}/blob/main/`
  const documents = packed.filter((path) => path.endsWith('.md'))
  const lost = documents.map(async (document) => {
    const targets = linksIn(await readFile(join(REPOSITORY, document), 'utf8'))
    const missing = targets.filter((target) =>
      target.startsWith(pages)
        ? !existsSync(join(REPOSITORY, target.slice(pages.length)))
        : !/^\w+:/.test(target) && !packed.includes(posix.join(posix.dirname(document), target)),
    )
    return missing.map((target) => `${document}: ${target}`)
  })
  expect((await Promise.all(lost)).flat()).toEqual([])
})

/** Without the part of the page that a link names. */
function linksIn(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)].map(([, target = '']) => target)
}

test('what the README refers to for using the program can be read without a network', async () => {
  const readme = await readFile(join(REPOSITORY, 'README.md'), 'utf8')
  const documents = [...readme.matchAll(/\]\((docs\/[a-z-]+\.md)\)/g)].map(([, path]) => path)
  expect(documents.length).toBeGreaterThan(5)
  expect(packed).toEqual(expect.arrayContaining(documents))
})

test('only what the program needs at run time is installed with it', async () => {
  const manifest = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as Record<string, object>
  const installed = await readdir(join(folder, 'node_modules', 'codex-api-proxy', 'node_modules')).catch(() => [])
  const hoisted = await readdir(join(folder, 'node_modules'))
  const all = [...installed, ...hoisted]
  expect(all).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies ?? {})))
  const development = Object.keys(manifest.devDependencies ?? {}).filter((name) => !name.startsWith('@'))
  expect(all.filter((name) => development.includes(name))).toEqual([])
})

test('the installed command starts and answers /health', async () => {
  await home.writeAuth(chatgptAuth())
  const command = join(folder, 'node_modules', '.bin', 'codex-api-proxy')
  const child = spawn(command, ['start', '--foreground', '--port', '0', '--proxy', 'none'], {
    cwd: home.path,
    env: { ...home.env },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(child, 'close')
  try {
    let output = ''
    while (!/http:\/\/[^\s/]+\/v1/.test(output)) {
      const [bytes] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer | number]
      if (!Buffer.isBuffer(bytes)) throw new Error(`The command ended with code ${bytes}`)
      output += bytes.toString('utf8')
    }
    const [origin = ''] = /http:\/\/[^\s/]+/.exec(output) ?? []
    const health = await fetch(`${origin}/health`)
    expect(health.status).toBe(200)
    expect(await health.json()).toMatchObject({ status: 'ok', mode: 'chatgpt' })
  } finally {
    child.kill('SIGTERM')
  }
  expect((await ended)[0]).toBe(0)
})
