import type { IncomingHttpHeaders } from 'node:http'
import { expect, test } from 'vitest'
import { createGuard, type GuardSettings } from './guard.ts'

type Request = { method?: string; url?: string; headers?: IncomingHttpHeaders; probe?: boolean }

function check(request: Request, settings: Partial<GuardSettings> = {}) {
  const guard = createGuard({ hosts: ['127.0.0.1'], origins: [], clientKey: undefined, ...settings })
  const { method = 'POST', url = '/v1/responses', headers = {}, probe = false } = request
  return guard.check({ method, url, headers: { host: 'localhost:8765', ...headers } }, { probe })
}

function code(request: Request, settings: Partial<GuardSettings> = {}): string {
  try {
    check(request, settings)
    return 'ok'
  } catch (error) {
    return (error as { code: string }).code
  }
}

const host = (given: string | undefined, settings: Partial<GuardSettings> = {}) =>
  code({ headers: { host: given } }, settings)

test.each([
  'localhost',
  'localhost:8765',
  'LOCALHOST:8765',
  'localhost.:8765',
  'app.localhost:8765',
  'localhost:',
  '127.0.0.1:8765',
  '127.1.2.3',
  '[::1]:8765',
  '[::1]',
  '[0:0:0:0:0:0:0:1]:8765',
  'localhost:65535',
  'my_app-2.localhost',
])('host %s is answered', (given) => {
  expect(host(given)).toBe('ok')
})

test.each([
  'evil.example',
  'evil.example:8765',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '127.0.0.1.nip.io:8765',
  'evil-localhost',
  'localhost..',
  'localhost:8765@evil.example',
  'evil.example@localhost',
  'localhost:8765:80',
  'evil.example:localhost',
  '[::2]localhost',
  'evil.example/a.localhost',
  'evil.example\tlocalhost',
  'a..localhost',
  '.localhost',
  'localhost:80a',
  'localhost:65536',
  'localhost/evil.example',
  'localhost evil.example',
  'localhost,evil.example',
  '[::1',
  '::1',
  '[::1]evil.example',
  '[::1%25lo]:8765',
  '[::ffff:127.0.0.1]',
  '192.168.1.5:8765',
  '0.0.0.0:8765',
  '2130706433',
  '0x7f000001',
  '',
  ':8765',
  'lоcalhost',
  undefined,
])('host %j is refused', (given) => {
  expect(host(given)).toBe('host_not_allowed')
})

test('the bound address and names of --allow-host are answered, and nothing near them', () => {
  const settings = { hosts: ['192.168.1.5', 'proxy.lan', 'fd00::5'] }
  expect(host('192.168.1.5:8765', settings)).toBe('ok')
  expect(host('proxy.lan', settings)).toBe('ok')
  expect(host('Proxy.LAN.:1234', settings)).toBe('ok')
  expect(host('[fd00:0::5]:8765', settings)).toBe('ok')
  expect(host('192.168.1.6:8765', settings)).toBe('host_not_allowed')
  expect(host('sub.proxy.lan', settings)).toBe('host_not_allowed')
  expect(host('[fd00::6]', settings)).toBe('host_not_allowed')
})

test('an address of IPv6 may be set in any spelling', () => {
  expect(host('[fd00::5]', { hosts: ['fd00:0:0::5'] })).toBe('ok')
})

test.each(['0.0.0.0', '::', '0:0:0:0:0:0:0:0'])(
  'bound to %s, every literal address is answered but no foreign name',
  (bound) => {
    expect(host('192.168.1.5:8765', { hosts: [bound] })).toBe('ok')
    expect(host('[fd00::5]:8765', { hosts: [bound] })).toBe('ok')
    expect(host('evil.example:8765', { hosts: [bound] })).toBe('host_not_allowed')
  },
)

test('an absolute URL counts instead of Host', () => {
  expect(code({ url: 'http://localhost:8765/v1/models', headers: { host: 'evil.example' } })).toBe('ok')
  expect(code({ url: 'http://evil.example/v1/models' })).toBe('host_not_allowed')
  expect(code({ url: 'http://localhost@evil.example/v1/models' })).toBe('host_not_allowed')
  expect(code({ url: 'x-http://localhost/v1/models' })).toBe('host_not_allowed')
  expect(code({ url: 'HTTP://LOCALHOST/v1/models', headers: { host: 'evil.example' } })).toBe('ok')
  expect(code({ url: 'ftp://localhost/v1/models' })).toBe('host_not_allowed')
  expect(code({ url: 'localhost:8765' })).toBe('host_not_allowed')
})

test('a refused host is named in the message, shortened', () => {
  expect(() => check({ headers: { host: 'evil.example:80' } })).toThrow(/host evil\.example\./)
  expect(() => check({ headers: { host: `${'a'.repeat(5000)}.example` } })).toThrow(/^.{0,200}$/)
})

const APP = 'https://app.example'

test.each([
  'https://evil.example',
  'http://localhost:3000',
  'http://localhost:87650',
  'http://127.0.0.1:8765',
  'http://localhost',
  'null',
  '',
  'file://',
  'chrome-extension://abcdefghijklmnop',
  'vscode-webview://0a1b2c',
  'https://app.example, https://evil.example',
  'https://app.example.evil.example',
  'https://APP.example',
  'http://app.example',
])('a page of origin %j is refused', (origin) => {
  expect(code({ headers: { origin } }, { origins: [APP] })).toBe('origin_not_allowed')
})

test.each([
  ['tauri://localhost', 'The request comes from a page of another origin: tauri://localhost.'],
  ['http://[::1]:3000', 'The request comes from a page of another origin: http://[::1]:3000.'],
  ['file://', 'The request comes from a page of another origin: file://.'],
  ['file://a.html secret', 'The request comes from a page of another origin.'],
  ['null', 'The request comes from a page of another origin: null.'],
  ['https://evil.example/a secret', 'The request comes from a page of another origin.'],
  [`https://${'x'.repeat(101)}`, 'The request comes from a page of another origin.'],
])('the refusal of the origin %j names it, if it is one', (origin, message) => {
  expect(() => check({ headers: { origin } })).toThrow(expect.objectContaining({ message }))
})

test.each([['http://localhost:8765'], ['https://localhost:8765']])(
  'a page of the proxy itself (%s) is served',
  (origin) => {
    expect(check({ headers: { origin, 'sec-fetch-site': 'same-origin' } }).corsHeaders).toEqual({})
  },
)

test('a page of the proxy itself is served however Host is written', () => {
  const headers = { host: 'LocalHost:8765', origin: 'http://localhost:8765', 'sec-fetch-site': 'same-origin' }
  expect(code({ headers })).toBe('ok')
})

test('an extension is served once its origin is allowed', () => {
  const origin = 'chrome-extension://abcdefghijklmnop'
  expect(code({ headers: { origin, 'sec-fetch-site': 'cross-site' } }, { origins: [origin] })).toBe('ok')
})

test.each([
  [undefined, 'ok'],
  ['none', 'ok'],
  ['same-origin', 'ok'],
  ['same-site', 'origin_not_allowed'],
  ['cross-site', 'origin_not_allowed'],
  ['something-new', 'origin_not_allowed'],
])('Sec-Fetch-Site %s without Origin: %s', (site, expected) => {
  expect(code({ method: 'GET', headers: { 'sec-fetch-site': site } })).toBe(expected)
})

/** What a page without web security sends (seen with Chromium). */
const UNNAMED = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
const FILES = { origins: ['file://'] }

test('pages of apps that are files are served once they are allowed, whether they name their origin or not', () => {
  expect(check({ headers: { ...UNNAMED, origin: 'file://' } }, FILES).corsHeaders).toMatchObject({
    'access-control-allow-origin': 'file://',
  })
  expect(check({ headers: UNNAMED }, FILES).corsHeaders).toEqual({ vary: 'Origin' })
  expect(() => check({ headers: UNNAMED })).toThrow(
    expect.objectContaining({
      code: 'origin_not_allowed',
      message: expect.stringMatching(/sends no origin.*file:\/\//),
    }),
  )
  expect(code({ headers: UNNAMED }, { origins: [APP] })).toBe('origin_not_allowed')
})

test.each<[string, IncomingHttpHeaders]>([
  ['an image or a script', { ...UNNAMED, 'sec-fetch-mode': 'no-cors' }],
  ['a link', { ...UNNAMED, 'sec-fetch-mode': 'navigate' }],
  ['a page that tells no mode', { 'sec-fetch-site': 'cross-site' }],
  ['another page of the same site', { ...UNNAMED, 'sec-fetch-site': 'same-site' }],
  ['a page of another origin', { ...UNNAMED, origin: 'https://evil.example' }],
  ['a page that hides its origin', { ...UNNAMED, origin: 'null' }],
  ['a page that claims ours', { ...UNNAMED, origin: 'http://localhost:8765' }],
])('with files allowed %s is refused all the same', (_who, headers) => {
  expect(code({ headers }, FILES)).toBe('origin_not_allowed')
})

test('a page of an allowed origin may read the answer, without credentials of the browser', () => {
  const { corsHeaders } = check({ headers: { origin: APP, 'sec-fetch-site': 'cross-site' } }, { origins: [APP] })
  expect(corsHeaders).toEqual({
    'access-control-allow-origin': APP,
    'access-control-expose-headers': '*',
    vary: 'Origin',
  })
})

test('answers vary by origin as soon as one is allowed', () => {
  expect(check({}, { origins: [APP] }).corsHeaders).toEqual({ vary: 'Origin' })
  expect(check({}).corsHeaders).toEqual({})
})

const preflight = (headers: IncomingHttpHeaders = {}): Request => ({
  method: 'OPTIONS',
  headers: { origin: APP, 'sec-fetch-site': 'cross-site', 'access-control-request-method': 'POST', ...headers },
})

test('a preflight of an allowed origin is answered without the client key', () => {
  const asked = { 'access-control-request-headers': 'authorization,content-type,x-stainless-os' }
  const verdict = check(preflight(asked), { origins: [APP], clientKey: 'secret' })
  expect(verdict).toMatchObject({ preflight: true, authenticated: false })
  expect(verdict.corsHeaders).toMatchObject({
    'access-control-allow-origin': APP,
    'access-control-allow-methods': expect.stringContaining('POST'),
    'access-control-allow-headers': 'authorization,content-type,x-stainless-os',
    'access-control-max-age': '600',
    vary: expect.stringContaining('Origin'),
  })
  expect(verdict.corsHeaders).not.toHaveProperty('access-control-allow-credentials')
  expect(verdict.corsHeaders).not.toHaveProperty('access-control-allow-private-network')
})

test.each([undefined, '', '"x', 'x"', 'x\ty'])('a preflight that asks for the headers %j is promised none', (asked) => {
  const { corsHeaders } = check(preflight({ 'access-control-request-headers': asked }), { origins: [APP] })
  expect(corsHeaders).not.toHaveProperty('access-control-allow-headers')
})

test('the step from a public page to a local address is allowed when a browser asks for it', () => {
  const { corsHeaders } = check(preflight({ 'access-control-request-private-network': 'true' }), { origins: [APP] })
  expect(corsHeaders).toHaveProperty('access-control-allow-private-network', 'true')
})

test('a preflight of another origin is refused', () => {
  expect(code(preflight({ origin: 'https://evil.example' }), { origins: [APP] })).toBe('origin_not_allowed')
  expect(code(preflight())).toBe('origin_not_allowed')
})

test('a preflight with a foreign host is refused', () => {
  expect(code(preflight({ host: 'evil.example' }), { origins: [APP] })).toBe('host_not_allowed')
})

test('OPTIONS for the server as a whole is for its Host', () => {
  expect(code({ method: 'OPTIONS', url: '*' })).toBe('ok')
  expect(code({ method: 'OPTIONS', url: '*', headers: { host: 'evil.example' } })).toBe('host_not_allowed')
})

test('OPTIONS that asks for no method is no preflight', () => {
  const request = { method: 'OPTIONS', headers: { origin: APP } }
  expect(check(request, { origins: [APP] }).preflight).toBe(false)
  expect(code(request, { origins: [APP], clientKey: 'secret' })).toBe('client_key_invalid')
})

const KEY = { clientKey: 'secret-key' }

test.each<[string, Request]>([
  ['by another method', { ...preflight(), method: 'GET' }],
  ['without a page that asks', preflight({ origin: undefined, 'sec-fetch-site': undefined })],
])('what looks like a preflight, but %s, needs the key', (_but, request) => {
  expect(code(request, { origins: [APP], ...KEY })).toBe('client_key_invalid')
})

test.each([
  [{ authorization: 'Bearer secret-key' }],
  [{ authorization: 'bearer secret-key' }],
  [{ authorization: 'Bearer   secret-key' }],
  [{ 'x-api-key': 'secret-key' }],
  [{ authorization: 'Bearer wrong', 'x-api-key': 'secret-key' }],
  [{ authorization: 'Basic eDp5', 'x-api-key': 'secret-key' }],
])('%j opens the door', (headers) => {
  expect(check({ headers }, KEY).authenticated).toBe(true)
})

test.each([
  [{}],
  [{ authorization: 'Bearer' }],
  [{ authorization: 'Bearer ' }],
  [{ authorization: 'secret-key' }],
  [{ authorization: 'Basic secret-key' }],
  [{ authorization: 'Basic Bearer secret-key' }],
  [{ authorization: 'Bearer secret-ke' }],
  [{ authorization: 'Bearer secret-key2' }],
  [{ authorization: 'Bearer secret-key, Bearer secret-key' }],
  [{ authorization: 'Bearer SECRET-KEY' }],
  [{ 'x-api-key': '' }],
  [{ 'x-api-key': 'secret-key, secret-key' }],
  [{ cookie: 'x-api-key=secret-key' }],
])('%j does not', (headers) => {
  expect(code({ headers }, KEY)).toBe('client_key_invalid')
})

test.each<[string, IncomingHttpHeaders]>([
  ['The request has no client key.', {}],
  ['The request has no client key.', { authorization: 'Basic eDp5' }],
  ['The client key is wrong.', { authorization: 'Bearer wrong' }],
  ['The client key is wrong.', { 'x-api-key': 'wrong' }],
])('a refusal says %j of %j', (message, headers) => {
  expect(() => check({ headers }, KEY)).toThrow(message)
})

test('a refusal names the scheme, and an allowed page can read it', () => {
  expect(() => check({ headers: { origin: APP } }, { ...KEY, origins: [APP] })).toThrow(
    expect.objectContaining({
      status: 401,
      headers: expect.objectContaining({ 'www-authenticate': 'Bearer', 'access-control-allow-origin': APP }),
    }),
  )
})

test('a probe may name no host, as load balancers don’t, but no wrong one and no origin', () => {
  const probe = (headers: IncomingHttpHeaders) => code({ probe: true, headers })
  expect(probe({ host: undefined })).toBe('ok')
  expect(code({ headers: { host: undefined } })).toBe('host_not_allowed')
  expect([probe({ host: '' }), probe({ host: 'evil.example' })]).toEqual(['host_not_allowed', 'host_not_allowed'])
  for (const origin of ['null', 'http://', 'http://evil.example']) {
    expect(probe({ host: undefined, origin })).toBe('origin_not_allowed')
  }
})

test('a probe is answered without the key, and told apart', () => {
  expect(check({ probe: true }, KEY).authenticated).toBe(false)
  expect(check({ probe: true, headers: { authorization: 'Bearer secret-key' } }, KEY).authenticated).toBe(true)
  expect(check({ probe: true }).authenticated).toBe(true)
})

test('the key opens neither a foreign host nor a foreign origin, not even for a probe', () => {
  const headers = { authorization: 'Bearer secret-key' }
  expect(code({ probe: true, headers: { ...headers, host: 'evil.example' } }, KEY)).toBe('host_not_allowed')
  expect(code({ probe: true, headers: { ...headers, origin: APP } }, KEY)).toBe('origin_not_allowed')
})
