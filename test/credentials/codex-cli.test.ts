import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTokenIssuer, type TokenIssuer } from '../fake-upstream/token-issuer.ts'
import { codexConfig, codexExec, installCodexCli } from '../support/codex-cli.ts'
import { type Stage, startStage } from '../support/stage.ts'

const INSTALL_TIMEOUT_MS = 600_000
const EXPIRED_MS = -60_000
const LONG_MS = 24 * 3600_000

type Auth = { tokens: { access_token: string; refresh_token: string; account_id: string } }

let issuer: TokenIssuer
let stage: Stage
const printed: string[] = []

beforeAll(async () => {
  await installCodexCli()
  issuer = await startTokenIssuer()
  stage = await startStage({
    auth: issuer.login(),
    args: ['--log-level', 'debug'],
    env: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: issuer.url },
    upstream: { acceptToken: (token) => issuer.accepts(token) },
  })
  await writeFile(join(stage.home.codexHome, 'config.toml'), codexConfig(stage.upstream.chatgptBaseUrl))
}, INSTALL_TIMEOUT_MS)

afterAll(async () => {
  await stage?.close()
  await issuer?.close()
  const leaked = issuer?.secrets().filter((secret) => [stage.proxy.output(), ...printed].join().includes(secret))
  expect(leaked).toEqual([])
})

/** A new login in the file that both use. */
async function signIn(lifetimeMs: number): Promise<void> {
  issuer.requests.length = 0
  issuer.reuses = 0
  await stage.home.writeAuth(issuer.login({ lifetimeMs }))
}

/** The access token in the file is replaced by one that has expired, as time would do it; the rest stays. */
async function expire(): Promise<void> {
  const auth = await readAuth()
  const { access_token } = issuer.login({ account: auth.tokens.account_id, lifetimeMs: EXPIRED_MS }).tokens
  await stage.home.writeAuth({ ...auth, tokens: { ...auth.tokens, access_token } })
}

async function askCodex(): Promise<void> {
  const { code, stdout, stderr } = await codexExec('Say hello.', {
    codexHome: stage.home.codexHome,
    env: { ...stage.home.env, CODEX_REFRESH_TOKEN_URL_OVERRIDE: issuer.url },
  })
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.trim()).not.toBe('')
}

async function askProxy(): Promise<void> {
  const messages = [{ role: 'user' as const, content: 'Say hello.' }]
  const completion = await stage.client.chat.completions.create({ model: 'gpt-5.5', messages })
  printed.push(JSON.stringify(completion), await (await stage.send('/health')).text())
  expect(completion.choices[0]?.message.content).not.toBe('')
}

async function readAuth(): Promise<Auth> {
  return JSON.parse(await readFile(join(stage.home.codexHome, 'auth.json'), 'utf8'))
}

const accessToken = async () => (await readAuth()).tokens.access_token
const isRedeemable = async () => issuer.isRedeemable((await readAuth()).tokens.refresh_token)

/** Who refreshed, in order: only Codex gives a reason. */
const refreshers = () => issuer.requests.map((request) => (request.refresh_reason === undefined ? 'proxy' : 'codex'))

test('expired tokens are refreshed by both in turn, and both go on', async () => {
  await signIn(EXPIRED_MS)
  await askCodex()
  await askProxy()
  await expire()
  await askProxy()
  await askCodex()
  await expire()
  await askCodex()
  await expire()
  await askProxy()
  await askCodex()
  expect(refreshers()).toEqual(['codex', 'proxy', 'codex', 'proxy'])
  expect(issuer.reuses).toBe(0)
  expect(await isRedeemable()).toBe(true)
})

test('tokens that upstream revokes are refreshed by both in turn, and both go on', async () => {
  await signIn(LONG_MS)
  await askProxy()
  issuer.revoke(await accessToken())
  await askProxy()
  await askCodex()
  issuer.revoke(await accessToken())
  await askCodex()
  await askProxy()
  expect(refreshers()).toEqual(['proxy', 'codex'])
  expect(issuer.reuses).toBe(0)
  expect(await isRedeemable()).toBe(true)
})

test('both at once on expired tokens: whoever comes second is healed by the file', async () => {
  for (let round = 0; round < 3; round++) {
    await signIn(EXPIRED_MS)
    issuer.delayMs = 300
    await Promise.all([askCodex(), askProxyUntilRefreshed()])
    await askProxy()
    await askCodex()
    expect(await isRedeemable()).toBe(true)
  }
  issuer.delayMs = 0
})

/** Asks at about the moment at which Codex, which takes a second to start, refreshes. */
async function askProxyUntilRefreshed(): Promise<void> {
  await expect.poll(() => issuer.requests.length, { timeout: 30_000, interval: 5 }).toBeGreaterThan(0)
  await askProxy()
}
