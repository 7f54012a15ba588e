import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterEach, expect, test } from 'vitest'
import { startTokenIssuer } from '../fake-upstream/token-issuer.ts'
import { apiKeyAuth, chatgptAuth, unsignedJwt } from '../support/auth-files.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage | undefined
afterEach(async () => {
  await stage?.close()
  stage = undefined
})

const chat = (client: OpenAI) =>
  client.chat.completions.create({ model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hello' }] })

test.each([
  ['no file', null, 'credentials_missing'],
  ['an empty file', '', 'credentials_malformed'],
  ['half a file', '{"auth_mode": "chatgpt", "tok', 'credentials_malformed'],
  ['a list', [], 'credentials_malformed'],
  ['an empty object', {}, 'credentials_malformed'],
  ['a mode without its key', { auth_mode: 'apikey', OPENAI_API_KEY: null }, 'credentials_malformed'],
  ['a mode nobody knows', { auth_mode: 'magic', OPENAI_API_KEY: 'sk-x' }, 'credentials_unsupported'],
])('with %s the server starts, answers 401 and says what to do; then a login heals it', async (_name, auth, code) => {
  stage = await startStage({ auth })
  const error = await chat(stage.client).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
  expect(error).toMatchObject({ status: 401, code, type: 'authentication_error' })
  expect(String(error)).toMatch(/`codex login`, or with an API key: `codex login --with-api-key`/)
  const health = await stage.send('/health')
  expect(health.status).toBe(503)
  expect(await health.text()).toContain(code)
  expect(stage.upstream.requests).toEqual([])

  await stage.home.writeAuth(chatgptAuth())
  expect((await chat(stage.client)).choices[0]?.finish_reason).toBe('stop')
  expect((await stage.send('/health')).status).toBe(200)
})

test('a login kept in the keyring is recognised and explained', async () => {
  stage = await startStage({ auth: null })
  await writeFile(join(stage.home.codexHome, 'config.toml'), 'cli_auth_credentials_store = "keyring"\n')
  const error = await chat(stage.client).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ status: 401, code: 'credentials_in_keyring' })
  expect(String(error)).toMatch(/cli_auth_credentials_store/)
})

test('a browser login with a key beside its tokens uses the tokens, an older file without a mode the key', async () => {
  stage = await startStage({ auth: { ...chatgptAuth(), OPENAI_API_KEY: 'sk-beside' } })
  await chat(stage.client)
  expect(stage.upstream.calls().at(-1)?.side).toBe('chatgpt')

  await stage.home.writeAuth({ ...chatgptAuth(), auth_mode: undefined, OPENAI_API_KEY: 'sk-beside' })
  await chat(stage.client)
  expect(stage.upstream.calls().at(-1)).toMatchObject({
    side: 'openai',
    headers: { authorization: 'Bearer sk-beside' },
  })

  await stage.home.writeAuth(apiKeyAuth('sk-alone'))
  await chat(stage.client)
  expect(stage.upstream.calls().at(-1)?.headers.authorization).toBe('Bearer sk-alone')
})

test('an access token works without last_refresh and id_token', async () => {
  const auth = chatgptAuth() as { tokens: { access_token: string } }
  stage = await startStage({ auth: { tokens: { access_token: auth.tokens.access_token } } })
  await chat(stage.client)
  expect(stage.upstream.calls().at(-1)?.headers.authorization).toBe(`Bearer ${auth.tokens.access_token}`)
})

test('the region that a workspace is bound to is told upstream, with every request', async () => {
  const account = { chatgpt_compute_residency: 'eu' }
  const access_token = unsignedJwt({ 'https://api.openai.com/auth': account, exp: 4_000_000_000 })
  stage = await startStage({ auth: chatgptAuth({ access_token }) })
  expect((await chat(stage.client)).choices[0]?.finish_reason).toBe('stop')
  await stage.client.models.list()
  const told = stage.upstream.requests.map(({ headers }) => headers['x-openai-internal-codex-residency'])
  expect(new Set(told)).toEqual(new Set(['eu']))
})

test('a personal access token goes upstream without an account', async () => {
  stage = await startStage({ auth: { personal_access_token: 'at-made-up' } })
  expect((await chat(stage.client)).choices[0]?.finish_reason).toBe('stop')
  const { headers } = stage.upstream.calls().at(-1) ?? {}
  expect(headers?.authorization).toBe('Bearer at-made-up')
  expect(headers).not.toHaveProperty('chatgpt-account-id')
})

test('upstream is told of a login of the US government, with every request', async () => {
  const account = { chatgpt_account_is_fedramp: true }
  const access_token = unsignedJwt({ 'https://api.openai.com/auth': account, exp: 4_000_000_000 })
  stage = await startStage({ auth: chatgptAuth({ access_token }) })
  expect((await chat(stage.client)).choices[0]?.finish_reason).toBe('stop')
  await stage.client.models.list()
  const told = stage.upstream.requests.map(({ headers }) => headers['x-openai-fedramp'])
  expect(new Set(told)).toEqual(new Set(['true']))
})

test.each([false, true])(
  'a token upstream refuses and nobody can refresh is an AuthenticationError (stream: %s)',
  async (stream) => {
    const auth = chatgptAuth() as { tokens: { access_token: string } }
    stage = await startStage({
      auth: { tokens: { access_token: auth.tokens.access_token } },
      upstream: { acceptToken: () => false },
    })
    const asked = stage.client.chat.completions.create({
      model: 'gpt-5.5',
      stream,
      messages: [{ role: 'user', content: 'Hello' }],
    })
    await expect(asked).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
  },
)

test('with --credentials read-only a login that is over is left to Codex: nothing is refreshed or written', async () => {
  const issuer = await startTokenIssuer()
  const auth = issuer.login({ lifetimeMs: -60_000 })
  const args = ['--credentials', 'read-only']
  stage = await startStage({ auth, args, env: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: issuer.url } })
  await expect(chat(stage.client)).rejects.toMatchObject({ status: 401, code: 'login_stale' })
  expect(JSON.parse(await readFile(join(stage.home.codexHome, 'auth.json'), 'utf8'))).toEqual(auth)
  expect(issuer.requests).toEqual([])
  await issuer.close()
})
