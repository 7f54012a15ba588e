import { chmod, chown, lchown, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import module from 'node:module'
import { dirname, join } from 'node:path'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import type { Answer } from '../fake-upstream/answer.ts'
import { startFakeUpstream } from '../fake-upstream/server.ts'
import { apiKeyAuth, chatgptAuth, unsignedJwt } from '../support/auth-files.ts'
import { createHome, type Home, run } from '../support/program.ts'
import { type Stage, startStage } from '../support/stage.ts'

const PROMPT = 'the-prompt-is-private'
const CHAT = { model: 'gpt-5.5', messages: [{ role: 'user', content: PROMPT }] }
const ACCESS_TOKEN = unsignedJwt({ exp: Math.floor(Date.now() / 1000) + 864_000, marker: 'access-token' })
const TOKENS = { access_token: ACCESS_TOKEN, account_id: 'acc-private' }

let stage: Stage | undefined
let home: Home | undefined

afterEach(async () => {
  await stage?.close()
  await home?.remove()
  stage = home = undefined
})

/** What upstream, or a page in front of it, could say that must not be kept. */
function tellingAnswers(secrets: readonly string[]): Answer[] {
  const page = `<html>${secrets.join()} ${PROMPT}</html>`
  return [
    { status: 400, body: { error: { message: `Bearer ${secrets.join()} sent ${PROMPT}`, type: 'x', code: 'y' } } },
    { status: 500, body: page },
    { status: 403, headers: { 'cf-mitigated': 'challenge' }, body: page },
    { status: 200, body: page },
    { connection: 'reset' },
    { fixture: 'chatgpt-text-stream', dropAfter: 200 },
  ]
}

const ROUTES = ['/v1/chat/completions', '/v1/responses', '/v1/models']

async function ask(proxied: Stage, path: string): Promise<Response> {
  if (path === '/v1/models') return await proxied.send(path)
  const body = path === '/v1/responses' ? { model: 'gpt-5.5', input: PROMPT, stream: true } : CHAT
  return await proxied.post(path, body)
}

test.each([
  ['a ChatGPT login', chatgptAuth(TOKENS), [ACCESS_TOKEN, 'made-up-refresh-token']],
  ['an API key', apiKeyAuth('sk-private-key'), ['sk-private-key']],
])('with %s neither tokens nor prompts reach the log, however requests fail', async (_login, auth, secrets) => {
  stage = await startStage({ auth, args: ['--log-level', 'info'] })
  for (const path of ROUTES) {
    for (const answer of tellingAnswers(secrets)) {
      stage.upstream.setDefault(answer)
      await (await ask(stage, path)).text().catch(() => 'cut off')
    }
  }
  await stage.proxy.stop()
  expect(stage.proxy.output()).toContain('request finished')
  for (const secret of [...secrets, PROMPT]) expect(stage.proxy.output()).not.toContain(secret)
})

test('with a ChatGPT login a page in front of upstream does not reach the client', async () => {
  stage = await startStage({ auth: chatgptAuth(TOKENS) })
  for (const path of ['/v1/chat/completions', '/v1/responses']) {
    for (const answer of tellingAnswers([ACCESS_TOKEN]).filter(
      (each) => 'body' in each && typeof each.body === 'string',
    )) {
      stage.upstream.setDefault(answer)
      const response = await ask(stage, path)
      const text = await response.text()
      expect(response.status, path).toBeGreaterThanOrEqual(500)
      expect(JSON.parse(text), path).toHaveProperty('error.code')
      expect(text, path).not.toContain('<html>')
    }
  }
})

test('at debug prompts are recorded, as its help says, and tokens still are not', async () => {
  stage = await startStage({ auth: chatgptAuth(TOKENS), args: ['--log-level', 'debug'] })
  const { proxy } = stage
  await stage.post('/v1/chat/completions', CHAT)
  await expect.poll(() => proxy.output()).toContain(PROMPT)
  await proxy.stop()
  expect(proxy.output()).not.toContain(ACCESS_TOKEN)
  expect(proxy.output()).not.toContain('made-up-refresh-token')
})

test('files of the background server are for its user only', async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth(TOKENS))
  const { code, stderr } = await run(['start', '--port', '0', '--api-key', 'local-secret'], { home })
  expect(code, stderr).toBe(0)
  const names = await readdir(home.runFolder)
  expect(names.length).toBeGreaterThan(1)
  for (const name of names) {
    const path = join(home.runFolder, name)
    expect((await stat(path)).mode & 0o077, name).toBe(0)
    expect(await readFile(path, 'utf8'), name).not.toContain(ACCESS_TOKEN)
  }
})

test('no command prints a token', async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth(TOKENS))
  const options = { home, env: { CODEX_API_PROXY_CHATGPT_BASE_URL: 'http://127.0.0.1:9/codex' } }
  await run(['start', '--port', '0', '--proxy', 'none'], options)
  for (const args of [['status', '--verbose'], ['status', '--json'], ['doctor'], ['logs']]) {
    const { stdout, stderr } = await run(args, options)
    expect(stdout + stderr, args.join(' ')).not.toMatch(/made-up-refresh-token|access-token/)
    expect(stdout + stderr, args.join(' ')).not.toContain(ACCESS_TOKEN)
  }
})

test.runIf(process.getuid?.() === 0).each(['state.json', join('folder', 'state.json')])(
  'settings that another user planted in a shared folder are not used: %s',
  async (name) => {
    home = await createHome()
    await home.writeAuth(chatgptAuth(TOKENS))
    const elsewhere = await startFakeUpstream()
    onTestFinished(() => elsewhere.close())
    const shared = await sharedFolder(home)
    const planted = join(shared, name)
    await mkdir(dirname(planted), { recursive: true })
    const settings = { chatgptBaseUrl: elsewhere.chatgptBaseUrl, port: '0', proxy: 'none' }
    await writeFile(planted, JSON.stringify({ settings }))
    await chown(planted, 1234, 1234)
    if (dirname(planted) !== shared) await chown(dirname(planted), 1234, 1234)
    const { code, stderr } = await run(['restart', '--state-file', planted], { home })
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${planted} belongs to another user`)])
    expect(elsewhere.requests).toEqual([])
  },
)

test.runIf(process.getuid?.() === 0).each(['theirs', 'missing'])(
  'a link that another user planted in a shared folder makes no log of a file of the user: %s',
  async (name) => {
    home = await createHome()
    const log = join(await sharedFolder(home), 'proxy.log')
    await writeFile(join(home.path, 'theirs'), 'of the user\n')
    await symlink(join(home.path, name), log)
    await lchown(log, 1234, 1234)
    const { code, stderr } = await run(['start', '--port', '0', '--proxy', 'none', '--log-file', log], { home })
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${log} belongs to another user`)])
    expect(await readdir(home.path)).not.toContain('missing')
    expect(await readFile(join(home.path, 'theirs'), 'utf8')).toBe('of the user\n')
  },
)

/** As `/tmp` is: everybody may create files in it. */
async function sharedFolder({ path }: Home): Promise<string> {
  const shared = join(path, 'shared')
  await mkdir(shared)
  await chmod(shared, 0o1777)
  return shared
}

test('what Node keeps compiled is in a folder of the user alone', async () => {
  home = await createHome()
  const shared = join(home.path, 'tmp')
  await mkdir(shared)
  const { code } = await run(['--version'], { home, env: { TMPDIR: shared } })
  expect([code, await readdir(shared)]).toEqual([0, []])
  const kept = await stat(join(home.path, '.cache', 'codex-api-proxy')).catch(() => undefined)
  // Node 20 keeps nothing.
  expect(kept && kept.mode & 0o777).toBe('enableCompileCache' in module ? 0o700 : undefined)
})

test('where others may write nothing compiled is kept, and root leaves nothing in the home of a user', async () => {
  home = await createHome()
  const caches = join(home.path, '.cache')
  const folder = join(caches, 'codex-api-proxy')
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o777)
  expect([(await run(['--version'], { home })).code, await readdir(folder)]).toEqual([0, []])
  if (process.getuid?.() !== 0) return

  await chmod(folder, 0o755)
  await chown(folder, 1234, 1234)
  expect([(await run(['--version'], { home })).code, await readdir(folder)]).toEqual([0, []])
  const theirs = join(home.path, 'theirs')
  await mkdir(theirs)
  await chown(theirs, 1234, 1234)
  expect((await run(['--version'], { home, env: { HOME: theirs } })).code).toBe(0)
  expect(await readdir(theirs)).toEqual([])
})

test('an absolute XDG_CACHE_HOME says where what Node compiles is kept', async () => {
  home = await createHome()
  const caches = join(home.path, 'caches')
  expect((await run(['--version'], { home, env: { XDG_CACHE_HOME: caches } })).code).toBe(0)
  const kept = await readdir(caches).catch(() => [])
  expect(kept).toEqual('enableCompileCache' in module ? ['codex-api-proxy'] : [])
  await expect(stat(join(home.path, '.cache'))).rejects.toThrow('ENOENT')
})

test('a relative XDG_CACHE_HOME does not count, and leaves nothing in the working folder', async () => {
  home = await createHome()
  const before = await readdir(home.path)
  expect((await run(['--version'], { home, env: { XDG_CACHE_HOME: 'relative' } })).code).toBe(0)
  expect((await readdir(home.path)).filter((name) => name !== '.cache')).toEqual(before)
})
