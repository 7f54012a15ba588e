import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { selfSignedCertificate } from '../../test/support/certificate.ts'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { UsageError } from '../config/usage-error.ts'
import { tlsOptions } from './tls.ts'

const { cert, key } = selfSignedCertificate()
const encrypted = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })

const der = new X509Certificate(cert).raw
/** What follows the first certificate of a file is read by the server only. */
const brokenChain = `${cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`

let folder: string
const path = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-'))
  const files = {
    cert,
    key,
    encrypted,
    other: selfSignedCertificate().key,
    junk: 'no PEM',
    empty: '',
    der,
    brokenChain,
  }
  for (const [name, content] of Object.entries(files)) await writeFile(path(name), content)
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

test('without certificate and key there is no TLS', () => {
  expect(tlsOptions({ tlsCert: undefined, tlsKey: undefined })).toBeUndefined()
})

test('a server with the options speaks TLS', async () => {
  const server = createServer(
    tlsOptions({ tlsCert: path('cert'), tlsKey: path('key') }) ?? {},
    (_request, response) => {
      response.end('hello')
    },
  )
  const port = await listenOnLoopback(server)
  const status = await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, ca: cert, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })
  expect(status).toBe(200)
  server.close()
})

test.each([
  ['only a certificate', 'cert', undefined, 'belong together'],
  ['only a key', undefined, 'key', 'belong together'],
  ['a missing certificate', 'nowhere', 'key', /^--tls-cert .*ENOENT/],
  ['a missing key', 'cert', 'nowhere', /^--tls-key .*ENOENT/],
  ['a folder', '.', 'key', /^--tls-cert .*EISDIR/],
  ['junk as certificate', 'junk', 'key', /^--tls-cert .*not a certificate/],
  ['an empty certificate', 'empty', 'key', /^--tls-cert .*not a certificate/],
  ['a key as certificate', 'key', 'key', /^--tls-cert .*not a certificate/],
  ['a certificate in DER', 'der', 'key', /^--tls-cert .*not a certificate in PEM/],
  ['a broken chain', 'brokenChain', 'key', /^--tls-cert .*can't be used \(wrong tag\)\.$/],
  ['junk as key', 'cert', 'junk', /^--tls-key .*not a private key/],
  ['an empty key', 'cert', 'empty', /^--tls-key .*not a private key/],
  ['a certificate as key', 'cert', 'cert', /^--tls-key .*not a private key/],
  ['the key of another certificate', 'cert', 'other', /^--tls-key .*not the key that belongs to the certificate/],
  ['a key with a passphrase', 'cert', 'encrypted', /^--tls-key .*passphrase/],
])('%s is refused with the reason', (_what, certName, keyName, reason) => {
  const settings = {
    tlsCert: certName === undefined ? undefined : path(certName),
    tlsKey: keyName === undefined ? undefined : path(keyName),
  }
  expect(() => tlsOptions(settings)).toThrow(UsageError)
  expect(() => tlsOptions(settings)).toThrow(reason)
  expect(() => tlsOptions(settings)).toThrow(/--tls-(cert \(or CODEX_PROXY_TLS_CERT|key \(or CODEX_PROXY_TLS_KEY)\) /)
})
