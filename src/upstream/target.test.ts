import { expect, test } from 'vitest'
import type { ChatGptCredentials, Credentials } from '../credentials/credentials.ts'
import { baseUrlFor, createTargets, headerList, userAgent } from './target.ts'

const BASE_URLS = { chatgptBaseUrl: 'https://chatgpt.example/codex', openaiBaseUrl: 'https://api.example' }
const API_KEY: Credentials = { kind: 'api-key', apiKey: 'sk' }
const LOGIN: ChatGptCredentials = { kind: 'chatgpt', accessToken: 'at', accountId: undefined, fedramp: false }
const PLAIN = {
  authorization: 'Bearer at',
  originator: 'codex-api-proxy',
  'user-agent': userAgent(),
  version: '1.2.3',
  'accept-encoding': 'identity',
}

function headersOf(credentials: Credentials): Record<string, string> {
  const { headers } = createTargets(BASE_URLS, () => '1.2.3')(credentials)
  const names = headers.filter((_, at) => at % 2 === 0)
  return Object.fromEntries(names.map((name, at) => [name, headers[2 * at + 1] ?? '']))
}

test('an API key goes to the API, with nothing of ours beside it', () => {
  expect(createTargets(BASE_URLS, () => '1.2.3')(API_KEY)).toEqual({
    url: new URL('https://api.example'),
    origin: 'https://api.example',
    basePath: '',
    headers: ['authorization', 'Bearer sk'],
  })
  expect(baseUrlFor('api-key', BASE_URLS)).toBe(BASE_URLS.openaiBaseUrl)
})

test('a ChatGPT login goes to the ChatGPT backend, with who we are; so would requests without a login', () => {
  expect(createTargets(BASE_URLS, () => '1.2.3')(LOGIN)).toMatchObject({
    url: new URL('https://chatgpt.example/codex'),
    origin: 'https://chatgpt.example',
    basePath: '/codex',
  })
  expect(headersOf(LOGIN)).toEqual(PLAIN)
  expect(baseUrlFor('chatgpt', BASE_URLS)).toBe(BASE_URLS.chatgptBaseUrl)
  expect(baseUrlFor('none', BASE_URLS)).toBe(BASE_URLS.chatgptBaseUrl)
})

test.each<[Partial<ChatGptCredentials>, Record<string, string>]>([
  [{ accountId: 'acc' }, { 'chatgpt-account-id': 'acc' }],
  [{ fedramp: true }, { 'x-openai-fedramp': 'true' }],
  [{ residency: 'eu' }, { 'x-openai-internal-codex-residency': 'eu' }],
])('%j of a login is sent as %j', (known, sent) => {
  expect(headersOf({ ...LOGIN, ...known })).toEqual({ ...PLAIN, ...sent })
})

test('a target is made anew for other credentials and another version, and for nothing else', () => {
  let version = '1.2.3'
  const targetFor = createTargets(BASE_URLS, () => version)
  const first = targetFor(LOGIN)
  expect(targetFor(LOGIN)).toBe(first)
  expect(targetFor({ ...LOGIN, accessToken: 'newer' }).headers).toContain('Bearer newer')
  expect(targetFor(LOGIN).headers).toContain('Bearer at')
  version = '1.3.0'
  expect(targetFor(LOGIN).headers).toContain('1.3.0')
})

test('the headers of a request stand before those of its target', () => {
  expect(headerList({ accept: '*/*' }, ['authorization', 'Bearer sk'])).toEqual([
    'accept',
    '*/*',
    'authorization',
    'Bearer sk',
  ])
})
