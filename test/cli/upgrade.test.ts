import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import OpenAI from 'openai'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { whereStarted } from '../../src/cli/unlisted-server.ts'
import { startFakeUpstream } from '../fake-upstream/server.ts'
import { apiKeyAuth } from '../support/auth-files.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { startTinyproxy, startTlsFront } from '../support/forward-proxies.ts'
import {
  createHome,
  type Home,
  NOTHING_THERE,
  PROGRAM,
  run,
  started,
  startForeground,
  withoutProgress,
} from '../support/program.ts'
import { CHAT } from '../support/questions.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

let home: Home
/** A copy of the program, so that it can be replaced under a server that runs. */
let installed: {
  readonly program: string
  readonly version: string
  upgrade(version: string): Promise<void>
  /** As package managers do before they write another version; what Node has read already stays. */
  remove(): Promise<void>
}
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(apiKeyAuth())
  installed = await install(join(home.path, 'package'))
})
afterEach(() => home.remove())

async function install(folder: string): Promise<typeof installed> {
  await mkdir(folder)
  await cp(dirname(PROGRAM), join(folder, 'dist'), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
  const file = join(folder, 'package.json')
  const upgrade = (version: string) => writeFile(file, JSON.stringify({ ...manifest, version }))
  await upgrade(manifest.version)
  return { program: join(folder, 'dist', 'main.js'), version: manifest.version, upgrade, remove: () => rm(file) }
}

/** `doctor` asks upstream. */
const env = { CODEX_API_PROXY_OPENAI_BASE_URL: `${NOTHING_THERE}/v1` }
const command = (...args: string[]) => run(args, { home, env, program: installed.program })

test('after an upgrade status, start and doctor say that the old version still runs, until a restart', async () => {
  const { url } = started(await command('start', '--port', '0'))
  expect((await command('status')).stdout).not.toContain('version')
  await installed.upgrade('9.9.9')
  const [headline = '', ...rest] = (await command('status')).stdout.split('\n')
  expect(headline).toMatch(/^Running: /)
  const notice = `It runs version ${installed.version}; run \`codex-api-proxy restart\` to use 9.9.9.`
  expect(rest).toEqual([notice, ''])
  expect(withoutProgress(await command('start'))).toMatchObject({ code: 0, stderr: `${notice}\n` })
  expect((await command('doctor')).stdout).toContain(`→ ${notice}\n`)
  expect((await command('status', '--verbose')).stdout).toMatch(new RegExp(`^Version +${installed.version}$`, 'm'))
  expect(JSON.parse((await command('status', '--json')).stdout)).toMatchObject({
    installedVersion: '9.9.9',
    health: { version: installed.version },
  })
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ version: installed.version })
  await command('restart')
  expect((await command('status')).stdout).not.toContain('version')
})

test('of a server in the foreground too, which is restarted where it was started', async () => {
  const proxy = await startForeground([], { home, env })
  await installed.upgrade('9.9.9')
  const notice = `It runs version ${installed.version}; restart it ${whereStarted('restart')} to use 9.9.9.\n`
  for (const name of ['status', 'doctor']) {
    expect((await command(name, '--port', new URL(proxy.url).port)).stdout).toContain(notice)
  }
  await proxy.stop()
})

test('a server whose package is being replaced still connects through its outbound proxy', async () => {
  const certificate = selfSignedCertificate(['0.0.0.0'])
  const caFile = join(home.path, 'ca.pem')
  await writeFile(caFile, certificate.cert)
  const upstream = await startFakeUpstream()
  onTestFinished(() => upstream.close())
  const front = await startTlsFront(Number(new URL(upstream.origin).port), certificate)
  onTestFinished(() => front.close())
  const forward = await startTinyproxy()
  onTestFinished(() => forward.stop())
  const { url, stop } = await startForeground(['--proxy', `http://127.0.0.1:${forward.port}`], {
    home,
    program: installed.program,
    env: { SSL_CERT_FILE: caFile, CODEX_API_PROXY_OPENAI_BASE_URL: `https://0.0.0.0:${front.port}/v1` },
  })
  onTestFinished(async () => void (await stop()))
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 })
  const ask = () => client.chat.completions.create(CHAT)
  await ask()
  await installed.remove()
  // More at once than there are connections yet.
  upstream.setDefault(async () => {
    await upstream.waitForCall(5)
    return { fixture: 'chat-text-json' }
  })
  expect(await Promise.all([ask(), ask(), ask(), ask()])).toHaveLength(4)
})

test('a server that starts while its package is being replaced fails, so that a service manager starts it again', async () => {
  await rm(join(dirname(installed.program), 'upstream', 'outbound', 'outbound-route.js'))
  const { ended, stderr } = await startForeground([], { home, program: installed.program })
  expect(await ended).toBe(1)
  expect(stderr()).toContain('a part of the program could not be loaded: stopping')
})
