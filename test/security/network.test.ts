import { writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chatgptAuth } from '../support/auth-files.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { isRefused } from '../support/loopback.ts'
import {
  createHome,
  type Foreground,
  type Home,
  run,
  runInBash,
  startForeground,
  withoutProgress,
} from '../support/program.ts'
import { everything, firstAnswer, openConnection, sendRaw } from './raw-connection.ts'

let home: Home
let proxy: Foreground | undefined

beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth())
})

afterEach(async () => {
  await proxy?.stop()
  proxy = undefined
  await home.remove()
})

test.each(['0.0.0.0', '::', '192.0.2.1', 'some-machine'])(
  '%s without a client key is refused, with the remedy',
  async (host) => {
    const { code, stderr } = await run(['start', '--foreground', '--port', '0', '--host', host], { home })
    expect(code).toBe(2)
    expect(stderr).toContain('--api-key-file')
    expect(stderr).toContain('--insecure-no-key')
  },
)

test('in the background it is refused the same way', async () => {
  const { code, stdout, stderr } = await run(['start', '--port', '0', '--host', '0.0.0.0'], { home })
  expect(code).not.toBe(0)
  expect(stdout + stderr).toContain('--insecure-no-key')
})

test('whoever insists may, and is warned', async () => {
  proxy = await startForeground(['--host', '0.0.0.0', '--insecure-no-key'], { home })
  const { port } = new URL(proxy.url)
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200)
  await proxy.stop()
  expect(proxy.output()).toContain('no client key')
})

test('in the background the warning comes from `start`, not only in the log', async () => {
  const started = await run(['start', '--port', '0', '--host', '0.0.0.0', '--insecure-no-key'], { home })
  const { code, stderr } = withoutProgress(started)
  expect([code, stderr]).toEqual([
    0,
    'Anyone who can reach 0.0.0.0 can use your login: there is no client key.\n' +
      'Requests to 0.0.0.0 are not encrypted; use --tls-cert and --tls-key outside trusted networks.\n',
  ])
})

test('with a key the address is served, to those who have it', async () => {
  proxy = await startForeground(['--host', '0.0.0.0', '--log-level', 'warning'], {
    home,
    env: { CODEX_PROXY_API_KEY: 'local-secret' },
  })
  const url = `http://127.0.0.1:${new URL(proxy.url).port}/metrics`
  expect((await fetch(url)).status).toBe(401)
  expect((await fetch(url, { headers: { authorization: 'Bearer local-secret' } })).status).toBe(200)
})

test('it answers to the address it is bound to and to the names of --allow-host, and to no other', async () => {
  // All addresses, so that any literal one may be its own.
  const args = ['--host', '0.0.0.0', '--allow-host', 'proxy.lan', '--log-level', 'warning']
  proxy = await startForeground(args, { home, env: { CODEX_PROXY_API_KEY: 'local-secret' } })
  const url = `http://127.0.0.1:${new URL(proxy.url).port}`
  for (const [host, status] of [
    ['192.0.2.7', 200],
    ['proxy.lan', 200],
    ['other.lan', 403],
  ] as const) {
    const text = await sendRaw(url, `GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect([host, firstAnswer(text).status]).toEqual([host, status])
  }
})

test('by default only this machine is listened to', async () => {
  proxy = await startForeground([], { home })
  const { hostname, port } = new URL(proxy.url)
  expect(hostname).toBe('127.0.0.1')
  // Another address of this machine, which answers where all of them are listened to.
  expect(await isRefused(`http://127.0.0.2:${port}`)).toBe(true)
})

async function writeCertificate(): Promise<{ cert: string; args: string[] }> {
  const { cert, key } = selfSignedCertificate()
  const [certPath, keyPath] = [join(home.path, 'cert.pem'), join(home.path, 'key.pem')]
  await writeFile(certPath, cert)
  await writeFile(keyPath, key)
  return { cert, args: ['--tls-cert', certPath, '--tls-key', keyPath] }
}

test('with a certificate the proxy speaks TLS and no longer plain HTTP', async () => {
  const { cert, args } = await writeCertificate()
  proxy = await startForeground(args, { home })
  expect(proxy.url).toMatch(/^https:/)
  const { port } = new URL(proxy.url)
  const status = await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/health', ca: cert, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })
  expect(status).toBe(200)
  const plain = await fetch(`http://127.0.0.1:${port}/health`)
  const message =
    'This port speaks HTTPS: its address begins with https://. ' +
    'Send HTTP/1.1, to `https://…` if the proxy was started with `--tls-cert`, else to `http://…`.'
  expect([plain.status, await plain.json()]).toEqual([
    400,
    { error: expect.objectContaining({ code: 'invalid_http', message }) },
  ])
})

// Node's own limit, two minutes, must not pass for ours.
test('a client that begins no TLS is cut off when a request may take no longer', { timeout: 100_000 }, async () => {
  const { args } = await writeCertificate()
  proxy = await startForeground([...args, '--request-timeout', '1s'], { home })
  const socket = await openConnection(proxy.url)
  expect(await everything(socket)).toBe('')
})

test('half of a certificate is refused before anything listens', async () => {
  const { code, stderr } = await run(['start', '--foreground', '--port', '0', '--tls-cert', 'cert.pem'], { home })
  expect(code).toBe(2)
  expect(stderr).toContain('--tls-key')
})

test.each([
  ['a certificate', '--tls-cert <(cat cert.pem) --tls-key key.pem', '--tls-cert (or CODEX_PROXY_TLS_CERT) /dev/fd/'],
  ['its key', '--tls-cert cert.pem --tls-key <(cat key.pem)', '--tls-key (or CODEX_PROXY_TLS_KEY) /dev/fd/'],
])('%s from a pipe, which could not be read again, is refused before anything listens', async (_what, tls, named) => {
  const { cert, key } = selfSignedCertificate()
  await writeFile(join(home.path, 'cert.pem'), cert)
  await writeFile(join(home.path, 'key.pem'), key)
  const { code, stdout, stderr } = runInBash(`start --port 0 ${tls}`, home)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(named)
  expect(stderr).toContain('can be read again later')
})
