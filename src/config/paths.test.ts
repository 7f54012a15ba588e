import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { absolutePath, certificateVariables, homeFolder, shortPath } from './paths.ts'

afterEach(() => vi.unstubAllEnvs())

test.each([
  ['an absolute one', '/home/someone', '/home/someone'],
  ['a relative one is made absolute', 'someone', resolve('someone')],
  ['an empty one counts as none: the user database knows', '', userInfo().homedir],
])('HOME: %s', (_name, given, expected) => {
  vi.stubEnv('HOME', given)
  expect(homeFolder()).toBe(expected)
})

test('variables that name certificates become absolute; what is not set stays so', () => {
  const env = { SSL_CERT_FILE: 'ca.pem', NODE_EXTRA_CA_CERTS: '/etc/more.pem', CODEX_CA_CERTIFICATE: '', HOME: 'x' }
  expect(certificateVariables(env, '/folder')).toEqual({
    SSL_CERT_FILE: '/folder/ca.pem',
    NODE_EXTRA_CA_CERTS: '/etc/more.pem',
  })
  expect(certificateVariables({ SSL_CERT_DIR: 'certs:/etc/certs:' }, '/folder')).toEqual({
    SSL_CERT_DIR: '/folder/certs:/etc/certs',
  })
  expect(certificateVariables({ SSL_CERT_DIR: '' }, '/folder')).toEqual({})
})

test.each([
  ['/home/me/.codex', '/home/me', '~/.codex'],
  ['/home/me', '/home/me', '/home/me'],
  ['/home/meg/.codex', '/home/me', '/home/meg/.codex'],
  ['/.codex', '/', '~/.codex'],
])('%s with the home folder %s is shown as %s', (path, home, shown) => {
  expect(shortPath(path, home)).toBe(shown)
})

test.each([
  ['~', '/home/me'],
  ['~/codex', '/home/me/codex'],
  ['~you', '/there/~you'],
  ['codex', '/there/codex'],
  ['/codex', '/codex'],
])('the path %s is %s', (given, path) => {
  expect(absolutePath(given, { home: '/home/me', cwd: '/there' })).toBe(path)
})
