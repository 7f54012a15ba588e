import { expect, test } from 'vitest'
import { unsignedJwt } from '../../test/support/auth-files.ts'
import type { ProxyError } from '../errors.ts'
import { parseLogin } from './login.ts'

const ACCOUNT = '00000000-0000-4000-8000-00000000acc1'
const account = (claims: object) => ({ 'https://api.openai.com/auth': claims })
const ACCESS_TOKEN = unsignedJwt({ exp: 2_000_000_000 })
const TOKENS = { id_token: unsignedJwt({}), access_token: ACCESS_TOKEN, refresh_token: 'rt-1', account_id: ACCOUNT }
const KEY = 'sk-made-up'

const loginOf = (content: unknown) => parseLogin(typeof content === 'string' ? content : JSON.stringify(content)).login
const chatgptOf = (content: unknown) => {
  const login = loginOf(content)
  if (login.kind !== 'chatgpt') throw new Error('not a ChatGPT login')
  return login
}
const errorOf = (content: unknown): ProxyError => {
  try {
    loginOf(content)
  } catch (error) {
    return error as ProxyError
  }
  throw new Error('nothing was wrong')
}

test.each([
  ['auth_mode chatgpt, tokens and a key', { auth_mode: 'chatgpt', OPENAI_API_KEY: KEY, tokens: TOKENS }, 'chatgpt'],
  ['no auth_mode, tokens and a key', { OPENAI_API_KEY: KEY, tokens: TOKENS }, 'api-key'],
  ['no auth_mode, tokens and null for the key', { OPENAI_API_KEY: null, tokens: TOKENS }, 'chatgpt'],
  ['no auth_mode, tokens and an empty key', { OPENAI_API_KEY: '', tokens: TOKENS }, 'chatgpt'],
  ['no auth_mode, only a key', { OPENAI_API_KEY: KEY }, 'api-key'],
  ['auth_mode apikey', { auth_mode: 'apikey', OPENAI_API_KEY: KEY }, 'api-key'],
  ['auth_mode apikey beside tokens', { auth_mode: 'apikey', OPENAI_API_KEY: KEY, tokens: TOKENS }, 'api-key'],
  ['a personal access token', { OPENAI_API_KEY: null, personal_access_token: 'at-1' }, 'chatgpt'],
  ['an app that keeps the tokens', { auth_mode: 'chatgptAuthTokens', tokens: TOKENS }, 'chatgpt'],
])('%s: the credentials Codex would use', (_name, content, kind) => {
  expect(loginOf(content).kind).toBe(kind)
})

test('a personal access token names no account and is never refreshed', () => {
  expect(loginOf({ personal_access_token: 'at-1' })).toEqual({
    kind: 'chatgpt',
    credentials: { kind: 'chatgpt', accessToken: 'at-1', accountId: undefined, fedramp: false },
    staleAt: Number.POSITIVE_INFINITY,
  })
})

test('a whole ChatGPT login is read', () => {
  const id = unsignedJwt(account({ chatgpt_plan_type: 'pro', chatgpt_account_is_fedramp: true }))
  const provenance = { issuer: 'https://auth.openai.com', client_id: 'app_other' }
  const tokens = { ...TOKENS, id_token: id, oauth_provenance: provenance }
  expect(loginOf({ auth_mode: 'chatgpt', tokens, last_refresh: '2026-11-23T10:00:00.123456789Z' })).toEqual({
    kind: 'chatgpt',
    credentials: { kind: 'chatgpt', accessToken: ACCESS_TOKEN, accountId: ACCOUNT, fedramp: true },
    refreshToken: 'rt-1',
    plan: 'pro',
    expiresAt: 2_000_000_000_000,
    lastRefresh: Date.UTC(2026, 10, 23, 10, 0, 0, 123),
    staleAt: 2_000_000_000_000 - 300_000,
    issuer: 'https://auth.openai.com',
    clientId: 'app_other',
  })
})

test.each([
  ['the field', { ...TOKENS, account_id: 'field' }, 'field'],
  ['the id token', { access_token: 'opaque', id_token: unsignedJwt(account({ chatgpt_account_id: 'id' })) }, 'id'],
  ['the access token', { access_token: unsignedJwt(account({ chatgpt_account_id: 'access' })) }, 'access'],
  [
    'the claim rather than an organisation of the API',
    { access_token: unsignedJwt(account({ chatgpt_account_id: 'claim' })), account_id: 'org-1' },
    'claim',
  ],
  ['nothing', { access_token: 'opaque' }, undefined],
])('the account id comes from %s', (_name, tokens, accountId) => {
  expect(chatgptOf({ tokens }).credentials.accountId).toBe(accountId)
})

test.each([
  ['where requests are served', { chatgpt_compute_residency: 'eu', chatgpt_data_residency: 'us' }, 'eu'],
  ['where data is kept, if nothing else is told', { chatgpt_data_residency: 'us' }, 'us'],
  ['none in particular', { chatgpt_compute_residency: 'no_constraint', chatgpt_data_residency: 'us' }, undefined],
  ['nothing that can stand in a header', { chatgpt_compute_residency: 'e u' }, undefined],
])('the region of a workspace is %s', (_name, claims, residency) => {
  expect(chatgptOf({ tokens: { access_token: unsignedJwt(account(claims)) } }).credentials.residency).toBe(residency)
})

test.each([
  [{ access_token: 'opaque' }, false],
  [{ access_token: unsignedJwt(account({})), id_token: unsignedJwt(account({})) }, false],
  [{ access_token: unsignedJwt(account({ chatgpt_account_is_fedramp: false })) }, false],
  [{ access_token: unsignedJwt(account({ chatgpt_account_is_fedramp: true })) }, true],
  [{ access_token: 'opaque', id_token: unsignedJwt(account({ chatgpt_account_is_fedramp: true })) }, true],
])('a login is one of the US government only if a token says so: %j', (tokens, fedramp) => {
  expect(chatgptOf({ tokens }).credentials.fedramp).toBe(fedramp)
})

test('an access token alone is a login', () => {
  const login = chatgptOf({ tokens: { access_token: 'opaque' } })
  expect(login.refreshToken).toBeUndefined()
  expect(login.staleAt).toBe(Number.POSITIVE_INFINITY)
})

test('tokens without readable expiry are stale eight days after the last refresh', () => {
  const login = chatgptOf({ tokens: { access_token: 'opaque' }, last_refresh: '2026-11-01T00:00:00Z' })
  expect(login.staleAt).toBe(Date.UTC(2026, 10, 9))
})

test('an unreadable time of the last refresh counts as none', () => {
  expect(chatgptOf({ tokens: TOKENS, last_refresh: 'yesterday' }).lastRefresh).toBeUndefined()
})

test.each([
  ['text that is no token', 'not.a'],
  ['a payload that is no JSON', `a.${Buffer.from('{').toString('base64url')}.c`],
  ['an expiry that is no number', unsignedJwt({ exp: 'soon' })],
  ['an expiry beyond what a Date can hold', unsignedJwt({ exp: 8.65e12 })],
  ['an expiry that far before our time', unsignedJwt({ exp: -8.65e12 })],
])('an access token of %s has no readable expiry', (_name, token) => {
  expect(chatgptOf({ tokens: { ...TOKENS, access_token: token } }).expiresAt).toBeUndefined()
})

test('a refresh token of any characters is one: it stands in no header', () => {
  expect(chatgptOf({ tokens: { ...TOKENS, refresh_token: 'rt 1 "é"' } }).refreshToken).toBe('rt 1 "é"')
})

test('the tokens of another app are never refreshed by us', () => {
  expect(chatgptOf({ auth_mode: 'chatgptAuthTokens', tokens: TOKENS }).refreshToken).toBeUndefined()
})

test('a byte order mark is passed over', () => {
  expect(loginOf(`\uFEFF${JSON.stringify({ OPENAI_API_KEY: KEY })}`).kind).toBe('api-key')
})

test('white space around an API key is passed over', () => {
  expect(loginOf({ OPENAI_API_KEY: ` ${KEY}\n` }).credentials).toEqual({ kind: 'api-key', apiKey: KEY })
})

test.each([
  ['empty', '', /empty/],
  ['white space', ' \n', /empty/],
  ['cut off', '{"tokens":{"access', /not valid JSON/],
  ['a list', '[]', /not a JSON object/],
  ['an empty object', '{}', /neither tokens nor an API key/],
  ['apikey mode without key', { auth_mode: 'apikey', OPENAI_API_KEY: null, tokens: TOKENS }, /no usable one/],
  ['a personal access token of two lines', { personal_access_token: 'at-1\nx' }, /no usable one/],
  ['chatgpt mode without tokens', { auth_mode: 'chatgpt', OPENAI_API_KEY: KEY }, /no usable access token/],
  ['tokens of another type', { tokens: 'text' }, /no usable access token/],
  ['a token with a line break', { tokens: { ...TOKENS, access_token: 'two\nlines' } }, /no usable access token/],
  ['a key that is a number', { OPENAI_API_KEY: 5 }, /no usable one/],
])('%s is malformed, and says what is wrong', (_name, content, message) => {
  expect(errorOf(content)).toMatchObject({ code: 'credentials_malformed', status: 401 })
  expect(errorOf(content).message).toMatch(message)
})

test.each([
  ['an agent identity', { auth_mode: 'agentIdentity', agent_identity: 'jwt' }, /agent identity/],
  ['an agent identity without mode', { OPENAI_API_KEY: null, agent_identity: {} }, /agent identity/],
  ['a Bedrock key', { OPENAI_API_KEY: null, bedrock_api_key: {} }, /Bedrock/],
  ['Bedrock access keys alone', { OPENAI_API_KEY: null, bedrock_access_keys: {} }, /Bedrock/],
  ['Bedrock access keys', { auth_mode: 'bedrockAccessKeys' }, /Bedrock/],
  ['a mode of the future', { auth_mode: 'telepathy', tokens: TOKENS }, /auth_mode/],
])('%s is explained as unsupported', (_name, content, message) => {
  expect(errorOf(content)).toMatchObject({ code: 'credentials_unsupported', status: 401 })
  expect(errorOf(content).message).toMatch(message)
})
