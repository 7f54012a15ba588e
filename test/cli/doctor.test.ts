import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../fake-upstream/server.ts'
import { apiKeyAuth, chatgptAuth } from '../support/auth-files.ts'
import { createHome, type Home, run } from '../support/program.ts'

let home: Home
let upstream: FakeUpstream
let env: Record<string, string>
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth())
  upstream = await startFakeUpstream()
  env = {
    CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl,
    CODEX_API_PROXY_OPENAI_BASE_URL: upstream.openaiBaseUrl,
    CODEX_API_PROXY_HTTPS_PROXY: 'none',
    CODEX_PROXY_PORT: '0',
  }
})
afterEach(async () => {
  await home.remove()
  await upstream.close()
})

type Check = { name: string; state: string; message: string; remedy?: string }

async function doctor(...args: string[]): Promise<{ code: number | null; checks: Record<string, Check> }> {
  const { code, stdout, stderr } = await run(['doctor', '--json', ...args], { home, env })
  if (stdout === '') throw new Error(stderr)
  const { ok, checks } = JSON.parse(stdout)
  expect(ok).toBe(code === 0)
  return { code, checks: Object.fromEntries(checks.map((check: Check) => [check.name, check])) }
}

test('all is well: each line says so, and nothing is called unless asked', async () => {
  const { code, stdout, stderr } = await run(['doctor'], { home, env })
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^ok +Login +ChatGPT, plan plus, from .*auth\.json\.$/m)
  expect(stdout).toMatch(/^ok +Token +Expires in 10 days, and is renewed before\.$/m)
  expect(stdout).toMatch(/^ok +Upstream +127\.0\.0\.1:\d+ answers \(\d+ without credentials\)\.$/m)
  expect(stdout).toMatch(/^ok +Clock +Agrees with upstream\.$/m)
  expect(stdout).toMatch(/^ok +Models +\d+: gpt-6\.1-sol, /m)
  expect(stdout).not.toMatch(/^fix/m)
  expect(stdout).not.toMatch(/made-up|eyJ/)
  expect(upstream.calls()).toEqual([])
})

test('--call sends one short request, through the server that runs', async () => {
  await run(['start'], { home, env })
  const { code, checks } = await doctor('--call')
  expect(code).toBe(0)
  expect(checks.Process?.message).toMatch(/^The server runs in the background \(process \d+\)\.$/)
  expect(checks.Call).toMatchObject({ state: 'ok', message: expect.stringMatching(/^gpt-6\.1-sol answered within/) })
  expect(upstream.calls()).toHaveLength(1)
})

test('an API key is checked against its own upstream', async () => {
  await home.writeAuth(apiKeyAuth())
  const { code, checks } = await doctor()
  expect(checks.Login?.message).toMatch(/^API key, from /)
  expect(checks.Token?.state).toBe('skipped')
  expect([code, checks.Models?.state]).toEqual([0, 'ok'])
})

test('a missing login is one thing to fix, and the network is looked at nevertheless', async () => {
  const { CODEX_HOME: _, ...plain } = home.env
  home = { ...home, env: plain }
  const { code, checks } = await doctor()
  expect(code).toBe(1)
  expect(checks.Login).toMatchObject({ state: 'problem', remedy: expect.stringContaining('codex login') })
  expect(checks.Upstream?.state).toBe('ok')
})

test('a CDN that refuses this network is told apart from upstream', async () => {
  upstream.setModelsAnswer({
    status: 403,
    headers: { 'content-type': 'text/html', 'cf-mitigated': 'challenge' },
    body: '<html>Just a moment</html>',
  })
  const { code, checks } = await doctor()
  expect(code).toBe(1)
  expect(checks.Upstream?.message).toMatch(/^The CDN in front of 127\.0\.0\.1:\d+ answered with 403\.$/)
  expect(checks.Upstream?.remedy).toContain('another network')
})

test('an upstream that is down, a name that is none, and a failing TLS are told apart', async () => {
  await upstream.close()
  const down = await doctor()
  expect(down.checks.Upstream).toMatchObject({ state: 'problem', message: expect.stringContaining('refused') })
  upstream = await startFakeUpstream()

  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: 'https://nowhere.invalid/v1' }
  const unknown = await doctor()
  expect(unknown.checks.DNS).toMatchObject({ state: 'problem', message: expect.stringContaining("can't be looked up") })

  env = { ...env, CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl.replace('http:', 'https:') }
  const plain = await doctor()
  expect([plain.checks.DNS?.state, plain.checks.TLS?.state]).toEqual(['skipped', 'problem'])
})

test('an outbound proxy that does not answer is named', async () => {
  const { code, checks } = await doctor('--proxy', 'http://127.0.0.1:1')
  expect(code).toBe(1)
  expect(checks['Outbound proxy']).toMatchObject({
    state: 'problem',
    message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:1\/? can't be reached: .*ECONNREFUSED/),
  })
})

test('a wrong clock is noticed', async () => {
  upstream.setModelsAnswer({ status: 401, headers: { date: 'Thu, 01 Jan 2026 00:00:00 GMT' }, body: {} })
  const { checks } = await doctor()
  expect(checks.Clock).toMatchObject({
    state: 'problem',
    message: expect.stringMatching(/^\d+ s ahead of upstream\.$/),
  })
})

test('files that others can read are listed with the command that mends it', async () => {
  await chmod(join(home.codexHome, 'auth.json'), 0o644)
  const { code, checks } = await doctor()
  expect(code).toBe(1)
  expect(checks.Permissions?.remedy).toBe(`Run: chmod go= ${join(home.codexHome, 'auth.json')}`)
})
