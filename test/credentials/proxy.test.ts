import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGate } from '../fake-upstream/answer.ts'
import { startTokenIssuer, type TokenIssuer } from '../fake-upstream/token-issuer.ts'
import { apiKeyAuth } from '../support/auth-files.ts'
import { listenOnLoopback, untilRefused } from '../support/loopback.ts'
import { type Stage, startStage } from '../support/stage.ts'

const EXPIRED_MS = -60_000
const CLIENT_ID = 'app_of_a_company'
const QUESTION = { model: 'gpt-5.5', messages: [{ role: 'user', content: 'Say hello.' }] }

let issuer: TokenIssuer
let stage: Stage

beforeEach(async () => {
  issuer = await startTokenIssuer()
  stage = await startStage({
    auth: null,
    args: ['--log-level', 'debug'],
    env: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: issuer.url, CODEX_APP_SERVER_LOGIN_CLIENT_ID: CLIENT_ID },
    upstream: { acceptToken: (token) => issuer.accepts(token) },
  })
})

afterEach(async () => {
  await stage.close()
  await issuer.close()
  expect(issuer.secrets().filter((secret) => stage.proxy.output().includes(secret))).toEqual([])
})

const ask = () => stage.post('/v1/chat/completions', QUESTION)
const health = async () => {
  const response = await stage.send('/health')
  const text = await response.text()
  expect(issuer.secrets().filter((secret) => text.includes(secret))).toEqual([])
  return { status: response.status, body: JSON.parse(text) }
}
/** Whether the file holds a refresh token that is good. */
const isSaved = async () => {
  const { tokens } = JSON.parse(await readFile(join(stage.home.codexHome, 'auth.json'), 'utf8'))
  return issuer.isRedeemable(tokens.refresh_token)
}
const errorOf = async (response: Response) => {
  const text = await response.text()
  expect(issuer.secrets().filter((secret) => text.includes(secret))).toEqual([])
  return { status: response.status, ...JSON.parse(text).error }
}

test('200 requests at once on an expired token: one refresh, 200 answers', async () => {
  await stage.home.writeAuth(issuer.login({ lifetimeMs: EXPIRED_MS }))
  issuer.delayMs = 100
  const statuses = await Promise.all(Array.from({ length: 200 }, async () => (await ask()).status))
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(issuer.requests.length).toBe(1)
  expect((await health()).body.credentials).toMatchObject({ kind: 'chatgpt', plan: 'plus' })
})

test('a refresh is asked for with the client id of the settings', async () => {
  await stage.home.writeAuth(issuer.login({ lifetimeMs: EXPIRED_MS }))
  expect((await ask()).status).toBe(200)
  expect(issuer.requests).toMatchObject([{ client_id: CLIENT_ID }])
})

test('a refresh keeps the text of all that it does not replace', async () => {
  const old = issuer.login({ lifetimeMs: EXPIRED_MS })
  const text = ({ tokens, last_refresh }: typeof old) => `{ "auth_mode": "chatgpt", "big": 12345678901234567890,
    "twice": 1.0, "twice": -0, "last_refresh": "${last_refresh}", "nested": { "tokens": [1e400, "\\/\\u00e4"] },
    "tokens": {"id_token":"${tokens.id_token}", "access_token":"${tokens.access_token}",
      "refresh_token":"${tokens.refresh_token}", "account_id":"${tokens.account_id}", "limit": 1e400} }\n`
  await stage.home.writeAuth(`\uFEFF${text(old)}`)
  expect((await ask()).status).toBe(200)
  expect(issuer.requests.length).toBe(1)
  const written = await readFile(join(stage.home.codexHome, 'auth.json'), 'utf8')
  const { tokens, last_refresh } = JSON.parse(written)
  expect(issuer.isRedeemable(tokens.refresh_token)).toBe(true)
  expect(written).toBe(text({ ...old, tokens, last_refresh }))
})

test('100 requests at once on a revoked token: one refresh, 100 answers', async () => {
  const auth = issuer.login()
  issuer.revoke(auth.tokens.access_token)
  await stage.home.writeAuth(auth)
  const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await ask()).status))
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(issuer.requests.length).toBe(1)
})

test('tokens that are refused in the place of refused ones are refreshed', async () => {
  const first = issuer.login()
  const second = issuer.login({ account: first.tokens.account_id })
  issuer.revoke(second.tokens.access_token)
  await stage.home.writeAuth(first)
  stage.upstream.enqueue(async () => {
    await stage.home.writeAuth(second)
    return { status: 401, body: {} }
  })
  expect((await ask()).status).toBe(200)
  expect(issuer.requests.length).toBe(1)
})

test('a login of the other kind that takes the place of a refused one is not asked with what was made for the first', async () => {
  await stage.home.writeAuth(issuer.login())
  stage.upstream.enqueue(async () => {
    await stage.home.writeAuth(apiKeyAuth())
    return { status: 401, body: {} }
  })
  expect(await errorOf(await ask())).toMatchObject({
    status: 401,
    code: 'upstream_rejected_credentials',
    message: expect.stringContaining('The login in auth.json changed while the request ran.'),
  })
  expect(stage.upstream.calls().map(({ side }) => side)).toEqual(['chatgpt'])
})

test('why upstream refuses a login that is fresh is told in its words', async () => {
  await stage.home.writeAuth(issuer.login())
  const error = { message: 'Your OpenAI account has been deactivated.', code: 'account_deactivated', type: null }
  for (let tries = 0; tries < 3; tries++) stage.upstream.enqueue({ status: 401, body: { error, status: 401 } })
  const reason =
    'Upstream does not accept the credentials in auth.json: Your OpenAI account has been deactivated. Sign in'
  const expected = { status: 401, code: 'upstream_rejected_credentials', message: expect.stringContaining(reason) }
  expect(await errorOf(await ask())).toMatchObject(expected)
  expect(await errorOf(await ask())).toMatchObject(expected)
  expect(issuer.requests.length).toBe(1)
})

test('a refused refresh is a 401 with the remedy, at once from then on, until somebody signs in again', async () => {
  await stage.home.writeAuth(issuer.login({ lifetimeMs: EXPIRED_MS }))
  issuer.answerNext(401, { error: { code: 'refresh_token_invalidated' } })
  const expected = { status: 401, code: 'login_expired', message: expect.stringMatching(/revoked.*codex login/s) }
  expect(await errorOf(await ask())).toMatchObject(expected)
  expect(await errorOf(await ask())).toMatchObject(expected)
  expect(issuer.requests.length).toBe(1)
  expect(await health()).toMatchObject({ status: 503, body: { credentials: { problem: { code: 'login_expired' } } } })

  await stage.home.writeAuth(issuer.login())
  expect((await ask()).status).toBe(200)
  expect((await health()).status).toBe(200)
})

test('a login that can no longer be refreshed outlives a 401 for no reason, and ends with a second one', async () => {
  const auth = issuer.login()
  await stage.home.writeAuth(auth)
  issuer.answerNext(401, { error: { code: 'refresh_token_invalidated' } })
  stage.upstream.enqueue({ status: 401, body: { detail: 'Unauthorized' } })
  const before = stage.upstream.calls().length
  expect([(await ask()).status, (await ask()).status]).toEqual([200, 200])
  expect(stage.upstream.calls().length - before).toBe(3)

  issuer.revoke(auth.tokens.access_token)
  expect(await errorOf(await ask())).toMatchObject({ status: 401, code: 'login_expired' })
  expect(await errorOf(await ask())).toMatchObject({ status: 401, code: 'login_expired' })
  expect(stage.upstream.calls().length - before).toBe(5)
  expect(issuer.requests.length).toBe(1)
})

test('a list of models that is refused to a login which can’t be refreshed keeps no answers from it', async () => {
  issuer.answerNext(401, { error: { code: 'refresh_token_reused' } })
  stage.upstream.setModelsAnswer({ status: 401, body: { error: { code: 'token_expired' } } })
  await stage.home.writeAuth(issuer.login())
  expect((await stage.send('/v1/models')).status).toBe(401)
  expect(issuer.requests.length).toBe(1)
  expect((await ask()).status).toBe(200)
})

test('case 176: a client that leaves does not end the refresh it waits for', async () => {
  await stage.home.writeAuth(issuer.login({ lifetimeMs: EXPIRED_MS }))
  issuer.gate = createGate()
  const leaving = new AbortController()
  const asked = stage.client.chat.completions.create(
    { model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hi' }] },
    { signal: leaving.signal },
  )
  await expect.poll(() => issuer.requests.length, { interval: 5 }).toBe(1)
  leaving.abort()
  await expect(asked).rejects.toThrow()
  await expect.poll(stage.metrics).toMatchObject({ requests_aborted: 1 })
  issuer.gate.open()
  await expect.poll(isSaved, { timeout: 10_000 }).toBe(true)
  expect((await ask()).status).toBe(200)
  expect(issuer.requests.length).toBe(1)
})

test('a program that is stopped saves what a refresh under way brings', async () => {
  await stage.home.writeAuth(issuer.login({ lifetimeMs: EXPIRED_MS }))
  const gate = createGate()
  issuer.gate = gate
  const leaving = new AbortController()
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(QUESTION) }
  const asked = stage.send('/v1/chat/completions', { ...init, signal: leaving.signal }).catch(() => 'left')
  await expect.poll(() => issuer.requests.length, { interval: 5 }).toBe(1)
  leaving.abort()
  expect(await asked).toBe('left')
  const stopped = stage.proxy.stop()
  await untilRefused(stage.proxy.url)
  // Long enough for a program that would not wait to be gone.
  setTimeout(() => gate.open(), 500)
  expect(await stopped).toBe(0)
  expect(await isSaved()).toBe(true)
})

test('case 179: the refresh goes through the outbound proxy', async () => {
  const tunnels: string[] = []
  const outbound = await startRefusingProxy(tunnels)
  const through = await startStage({
    auth: issuer.login({ lifetimeMs: EXPIRED_MS }),
    args: ['--proxy', `http://127.0.0.1:${outbound.port}`],
    env: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: 'https://auth.openai.com/oauth/token' },
  })
  const error = await errorOf(await through.post('/v1/chat/completions', QUESTION))
  expect(error).toMatchObject({ status: 503, code: 'refresh_failed' })
  expect(tunnels).toContain('auth.openai.com:443')
  await through.close()
  outbound.close()
})

/** A forward proxy that notes where it should connect to, and doesn't. */
async function startRefusingProxy(tunnels: string[]): Promise<{ port: number; close(): void }> {
  const server = createServer().on('connect', (request, socket) => {
    tunnels.push(request.url ?? '')
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  return { port: await listenOnLoopback(server), close: () => server.close() }
}
