import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { STOP_GRACE_MS } from '../../src/daemon/process.ts'
import { TOKEN_REQUEST_LIMIT_MS } from '../../src/upstream/token-request.ts'
import { createGate } from '../fake-upstream/answer.ts'
import { startTokenIssuer, type TokenIssuer } from '../fake-upstream/token-issuer.ts'
import { type CommandStage, startCommandStage } from '../support/command-stage.ts'
import { LIKE_WINDOWS } from '../support/preloads.ts'
import { type Home, PROGRAM, run, started, startForeground } from '../support/program.ts'

let stage: CommandStage
let home: Home
let issuer: TokenIssuer
let env: Record<string, string>
beforeEach(async () => {
  issuer = await startTokenIssuer()
  stage = await startCommandStage(issuer.login({ lifetimeMs: -60_000 }))
  home = stage.home
  env = { ...stage.env, CODEX_REFRESH_TOKEN_URL_OVERRIDE: issuer.url, CODEX_PROXY_DRAIN_TIMEOUT: '100ms' }
})
afterEach(async () => {
  await stage.close()
  await issuer.close()
})

/** Asks for something that needs a fresh token; resolves when the issuer has spent the old one. */
async function refreshUnderWay(url: string): Promise<void> {
  fetch(`${url}/v1/models`).catch(() => {}) // Cut by the stop.
  await tokenSpent()
}

async function tokenSpent(): Promise<void> {
  while (issuer.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
}

async function hasGoodLogin(): Promise<boolean> {
  const { tokens } = JSON.parse(await readFile(join(home.codexHome, 'auth.json'), 'utf8'))
  return issuer.isRedeemable(tokens.refresh_token)
}

test('a stop allows for the longest token request', () => {
  expect(STOP_GRACE_MS).toBe(TOKEN_REQUEST_LIMIT_MS + 5000)
})

test('`stop` waits for a slow token refresh: killed half-way it would lose the login', async () => {
  const { url } = started(await run(['start', '--port', '0'], { home, env }))
  issuer.delayMs = 6000
  await refreshUnderWay(url)
  expect((await run(['stop'], { home, env })).stdout).toMatch(/^Stopped process \d+\.\n$/)
  expect(await hasGoodLogin()).toBe(true)
})

test('`stop` waits for it on Windows too, where any signal would end the server at once', async () => {
  env.NODE_OPTIONS = LIKE_WINDOWS
  const { url } = started(await run(['start', '--port', '0'], { home, env }))
  issuer.delayMs = 1000
  await refreshUnderWay(url)
  expect((await run(['stop'], { home, env })).stdout).toMatch(/^Stopped process \d+\.\n$/)
  expect(await hasGoodLogin()).toBe(true)
  expect((await readdir(home.runFolder)).filter((name) => name.includes('.pid'))).toEqual([])
})

test.each(['SIGHUP', 'SIGTERM', 'SIGINT'] as const)('%s waits for a token refresh', async (signal) => {
  const proxy = await startForeground([], { home, env })
  issuer.delayMs = 1000
  await refreshUnderWay(proxy.url)
  proxy.signal(signal)
  expect(await proxy.ended).toBe(0)
  expect(await hasGoodLogin()).toBe(true)
})

test.each([
  ['/v1/models', undefined],
  ['/v1/chat/completions', { model: 'gpt-5.5', messages: [{ role: 'user', content: 'Say pong.' }] }],
  ['/v1/responses', { model: 'gpt-5.5', input: 'Say pong.', stream: true }],
])('a request to %s that waits for a token refresh is told of the stop', async (path, body) => {
  const gate = createGate()
  issuer.gate = gate
  const proxy = await startForeground([], { home, env })
  const headers = { 'content-type': 'application/json' }
  const asking = fetch(proxy.url + path, body && { method: 'POST', headers, body: JSON.stringify(body) })
  await tokenSpent()
  proxy.signal('SIGTERM')
  const answer = await asking
  expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: 'draining' } }])
  gate.open()
  expect(await proxy.ended).toBe(0)
  expect(await hasGoodLogin()).toBe(true)
})

test.each(['SIGHUP', 'SIGTERM', 'SIGINT'] as const)('`doctor` waits for a token refresh at %s', async (signal) => {
  const gate = createGate()
  issuer.gate = gate
  const doctor = spawn(process.execPath, [PROGRAM, 'doctor', '--port', '0'], {
    cwd: home.path,
    env: { ...home.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(doctor, 'exit')
  await tokenSpent()
  doctor.kill(signal)
  let said = ''
  for await (const text of doctor.stderr.setEncoding('utf8')) {
    said += text
    if (said.endsWith('Ending, after any token refresh in progress.\n')) gate.open()
  }
  expect([said, ...(await ended)]).toEqual([expect.stringContaining('Ending, after'), null, signal])
  expect(await hasGoodLogin()).toBe(true)
})
