import { expect, test } from 'vitest'
import { ProxyError } from '../errors.ts'
import type { ChatGptLogin } from './login.ts'
import { askIssuer, type Grant, grantOf, type PostToken } from './refresh.ts'

const GRANT: Grant = { url: 'https://auth.openai.com/oauth/token', clientId: 'app', refreshToken: 'rt-secret' }
const LOGIN: ChatGptLogin = {
  kind: 'chatgpt',
  credentials: { kind: 'chatgpt', accessToken: 'at', accountId: undefined, fedramp: false },
  refreshToken: 'rt-secret',
  plan: undefined,
  expiresAt: undefined,
  lastRefresh: undefined,
  staleAt: 0,
  issuer: undefined,
  clientId: undefined,
}
const answering = (status: number, body: unknown): PostToken => {
  return async () => ({ status, body: typeof body === 'string' ? body : JSON.stringify(body) })
}
const coded = (code: string) => ({ error: { code, message: 'rt-secret and more' } })

test('the request is that of docs/upstream.md 2.1, without words that are only Codex’s own', async () => {
  const sent: unknown[] = []
  await askIssuer(GRANT, async (url, body) => {
    sent.push(url, body)
    return { status: 200, body: '{}' }
  })
  expect(sent).toEqual([
    'https://auth.openai.com/oauth/token',
    { client_id: 'app', grant_type: 'refresh_token', refresh_token: 'rt-secret' },
  ])
})

test.each([
  ['expired', 401, coded('refresh_token_expired'), /has expired/],
  ['reused', 401, coded('refresh_token_reused'), /already used/],
  ['reused, with 400', 400, coded('refresh_token_reused'), /already used/],
  ['revoked', 401, coded('refresh_token_invalidated'), /revoked/],
  ['the code as error itself', 401, { error: 'refresh_token_expired' }, /has expired/],
  ['the code at the top', 401, { code: 'refresh_token_expired' }, /has expired/],
  ['401 with another code', 401, coded('something_new'), /HTTP 401/],
  ['401 without body', 401, '', /HTTP 401/],
  ['401 with HTML', 401, '<html>', /HTTP 401/],
  ['400 invalid_grant', 400, { error: 'invalid_grant' }, /HTTP 400/],
])('%s: refused for ever, with what happened and what to do', async (_name, status, body, message) => {
  const outcome = await askIssuer(GRANT, answering(status, body))
  expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'login_expired', status: 401 } })
  if (outcome.kind !== 'refused') return
  expect(outcome.error.message).toMatch(message)
  expect(outcome.error.remedy).toContain('codex login')
  expect(outcome.error.message).not.toContain('rt-secret')
})

test.each([
  [400, { error: 'invalid_request' }],
  [400, 'no JSON'],
  [302, ''],
  [302, { access_token: 'new' }],
  [403, '<html>Just a moment…</html>'],
  [403, { error: 'invalid_grant' }],
  [404, {}],
  [422, {}],
  [429, {}],
  [500, coded('refresh_token_expired')],
  [503, ''],
  [200, 'no JSON'],
  [200, []],
])('HTTP %s %j: failed for now', async (status, body) => {
  const outcome = await askIssuer(GRANT, answering(status, body))
  expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'refresh_failed', status: 503 } })
})

test.each([
  [403, coded('unsupported_country_region_territory'), 'HTTP 403: it does not serve the country of this network.'],
  [403, '<html>Just a moment…</html>', 'HTTP 403: something in front of it refuses this network.'],
  [403, coded('something_new'), 'HTTP 403.'],
  [404, '<html>', 'HTTP 404.'],
  [400, coded('unsupported_country_region_territory'), 'HTTP 400.'],
  [429, '', 'HTTP 429: too many requests. It is asked again after half a minute.'],
])('HTTP %s %j: the message names what is at fault', async (status, body, reason) => {
  const outcome = await askIssuer(GRANT, answering(status, body))
  const message = `The login could not be refreshed. The token endpoint answered ${reason}`
  expect(outcome).toMatchObject({ kind: 'failed', error: { message } })
})

test('a network failure: failed for now, with the words of the transport where they are for people', async () => {
  const unreachable = new ProxyError('outbound_proxy_failed', 'The outbound proxy at 127.0.0.1:9 refused.')
  const explained = await askIssuer(GRANT, () => Promise.reject(unreachable))
  const raw = await askIssuer(GRANT, () => Promise.reject(new Error('socket of rt-secret hung up')))
  expect(explained).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining('127.0.0.1:9') } })
  expect(raw).toMatchObject({ kind: 'failed', error: { message: expect.not.stringContaining('rt-secret') } })
})

test('each token of an answer is optional, and what can be no token counts as absent', async () => {
  const body = { access_token: 'new', refresh_token: null, id_token: 'two\nlines', expires_in: 5 }
  expect(await askIssuer(GRANT, answering(200, body))).toEqual({ kind: 'refreshed', tokens: { access_token: 'new' } })
})

test('a refresh token of any characters is kept: it stands in no header, and the one before is spent', async () => {
  const tokens = { access_token: 'new', refresh_token: 'rt 1 "é"' }
  expect(await askIssuer(GRANT, answering(200, tokens))).toEqual({ kind: 'refreshed', tokens })
})

test.each([
  ['the constant of Codex', {}, {}, 'app_EMoamEEZ73f0CkXaXp7hrann'],
  ['the variable', {}, { clientId: 'app_env' }, 'app_env'],
  ['the provenance before the variable', { clientId: 'app_file' }, { clientId: 'app_env' }, 'app_file'],
])('the client id is %s', (_name, login, overrides, clientId) => {
  expect(grantOf({ ...LOGIN, ...login }, overrides).clientId).toBe(clientId)
})

const OVERRIDE = { refreshUrl: 'https://gateway.example/token' }
test.each([
  ['OpenAI by default', {}, {}, 'https://auth.openai.com/oauth/token'],
  ['the issuer of the file', { issuer: 'https://auth.eu.openai.com/' }, {}, 'https://auth.eu.openai.com/oauth/token'],
  ['OpenAI itself', { issuer: 'https://openai.com' }, {}, 'https://openai.com/oauth/token'],
  ['a loopback issuer over TLS', { issuer: 'https://localhost:9' }, {}, 'https://localhost:9/oauth/token'],
  ['a loopback issuer', { issuer: 'http://127.0.0.1:9' }, {}, 'http://127.0.0.1:9/oauth/token'],
  ['the variable before the file', { issuer: 'https://evil.example' }, OVERRIDE, 'https://gateway.example/token'],
])('the token goes to %s', (_name, login, overrides, url) => {
  expect(grantOf({ ...LOGIN, ...login }, overrides).url).toBe(url)
})

test.each([
  'https://evil.example',
  'http://auth.openai.com',
  'https://openai.com.evil.example',
  'https://evilopenai.com',
  'https://user@auth.openai.com',
  'https://auth.openai.com?x=',
  'https://auth.openai.com#x',
  'http://127.0.0.1.evil.example',
  'ftp://127.0.0.1',
  'no url',
])('no refresh token goes to %s', (issuer) => {
  expect(() => grantOf({ ...LOGIN, issuer }, {})).toThrow(/token issuer other than OpenAI/)
})

test('a login without refresh token says so', () => {
  expect(() => grantOf({ ...LOGIN, refreshToken: undefined }, {})).toThrow(/no refresh token/)
})
