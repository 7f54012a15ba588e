import { expect, test } from 'vitest'
import { loadConfig, type Sources } from './load.ts'
import { UsageError } from './usage-error.ts'

const bases = { home: '/home/someone', cwd: '/somewhere' }
const load = (sources: Partial<Sources>) => loadConfig({ flags: {}, env: {}, saved: {}, bases, ...sources })

test('flags beat variables beat saved settings beat defaults, and each origin is known', () => {
  const all = {
    flags: { port: '1001' },
    env: { CODEX_PROXY_PORT: '1002', CODEX_PROXY_HOST: 'localhost' },
    saved: { port: '1003', host: '127.0.0.2', strict: 'true' },
  }
  const { config, origins } = load(all)
  expect([config.port, config.host, config.strict, config.logLevel]).toEqual([1001, 'localhost', true, 'info'])
  expect([origins.port, origins.host, origins.strict, origins.logLevel]).toEqual([
    'flag',
    'variable CODEX_PROXY_HOST',
    'saved',
    'default',
  ])
})

test('of several variables the first that is set wins, and an empty one is not set', () => {
  const env = { CODEX_API_PROXY_HTTPS_PROXY: '', HTTPS_PROXY: 'http://one:1', https_proxy: 'http://two:2' }
  const { config, origins } = load({ env })
  expect(config.proxy).toBe('http://one:1')
  expect(origins.proxy).toBe('variable HTTPS_PROXY')
})

test('the proxy for all protocols counts where there is none for https', () => {
  expect(load({ env: { ALL_PROXY: 'socks://one:1/', https_proxy: 'http://two:2' } }).origins.proxy).toBe(
    'variable https_proxy',
  )
  expect(load({ env: { HTTPS_PROXY: '', ALL_PROXY: 'socks://one:1/' } }).config.proxy).toBe('socks://one:1/')
  expect(load({ env: { all_proxy: 'one:1' } }).config.proxy).toBe('http://one:1')
})

test('NO_PROXY may name nothing', () => {
  expect(load({ env: { NO_PROXY: ' ' } }).config.noProxy).toBe(' ')
})

test('what was given can be saved and loaded again from another folder', () => {
  const first = load({
    flags: { tlsCert: 'cert.pem', logFile: '~/log', allowHost: ['a.test', 'b.test,c.test'], maxBody: '1MB' },
    env: { CODEX_HOME: 'codex' },
  })
  expect(first.config).toMatchObject({
    tlsCert: '/somewhere/cert.pem',
    logFile: '/home/someone/log',
    codexHome: '/somewhere/codex',
    allowHost: ['a.test', 'b.test', 'c.test'],
    maxBody: 1024 ** 2,
  })
  const second = load({ saved: first.given, bases: { home: '/home/other', cwd: '/elsewhere' } })
  expect(second.config).toEqual({
    ...first.config,
    pidFile: '/home/other/.codex-api-proxy/codex-api-proxy.pid',
    stateFile: '/home/other/.codex-api-proxy/codex-api-proxy.state.json',
  })
})

test('default paths are in the home folder', () => {
  expect(load({}).config).toMatchObject({
    codexHome: '/home/someone/.codex',
    pidFile: '/home/someone/.codex-api-proxy/codex-api-proxy.pid',
    tlsCert: undefined,
  })
})

const SAVED =
  'saved setting port "-1": A port is a whole number from 0 to 65535. Give another value to `restart`, or all settings to `start` again.'

test.each([
  ['a flag', { flags: { port: 'abc' } }, '--port "abc": A port is a whole number from 0 to 65535.'],
  ['a variable', { env: { CODEX_PROXY_PORT: '70000' } }, 'CODEX_PROXY_PORT "70000": A port is'],
  ['a saved setting', { saved: { port: '-1' } }, SAVED],
  [
    'a variable without a flag',
    { env: { CODEX_API_PROXY_CHATGPT_BASE_URL: 'http://example.com' } },
    'CODEX_API_PROXY_CHATGPT_BASE_URL "http://example.com": Use an https URL',
  ],
])('a bad value names its source: %s', (_name, sources, message) => {
  expect(() => load(sources)).toThrow(UsageError)
  expect(() => load(sources)).toThrow(message)
})

test('a bad value of a setting that is not needed counts as not set, and is told', () => {
  const sources = { env: { HTTPS_PROXY: 'socks4://x', CODEX_PROXY_PORT: '1234' }, needed: ['port'] as const }
  const { config, origins, given, unusable } = load(sources)
  expect([config.proxy, config.port, origins.proxy, given.proxy]).toEqual([undefined, 1234, 'default', undefined])
  expect(unusable).toEqual([expect.stringMatching(/^HTTPS_PROXY: Use a URL such as/)])
  expect(() => load({ ...sources, needed: ['proxy'] })).toThrow(UsageError)
})

test('a bad secret is not repeated', () => {
  expect(() => load({ flags: { proxy: 'ftp://user:hidden@host' } })).toThrow(/^--proxy: Use a URL such as/)
})

test.each(['CODEX_API_PROXY_OPENAI_BASE_URL', 'CODEX_REFRESH_TOKEN_URL_OVERRIDE'])(
  'a password in the URL of %s, where none is allowed, is not repeated either',
  (variable) => {
    const env = { [variable]: 'https://user:hidden@gateway.example/v1' }
    expect(() => load({ env })).toThrow(new RegExp(`^${variable}: Use an https URL`))
  },
)

test.each<[string, Partial<Sources>, string | undefined, string | undefined]>([
  ['a file on the line beats a saved key', { flags: { apiKeyFile: '/f' }, saved: { apiKey: 'k' } }, undefined, '/f'],
  [
    'a key in a variable beats a saved file',
    { env: { CODEX_PROXY_API_KEY: 'k' }, saved: { apiKeyFile: '/f' } },
    'k',
    undefined,
  ],
  ['both on the line stay, to be refused', { flags: { apiKey: 'k', apiKeyFile: '/f' } }, 'k', '/f'],
])('of the two ways to give the client key the closer one counts: %s', (_name, sources, apiKey, apiKeyFile) => {
  expect(load(sources).config).toMatchObject({ apiKey, apiKeyFile })
})
