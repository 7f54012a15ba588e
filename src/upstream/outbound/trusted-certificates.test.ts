import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type SecureContext } from 'node:tls'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Certificate, selfSignedCertificate } from '../../../test/support/certificate.ts'
import { listenOnLoopback } from '../../../test/support/loopback.ts'
import { createTrust } from './trusted-certificates.ts'

const { root, newerNode } = await vi.hoisted(async () => {
  const { selfSignedCertificate } = await import('../../../test/support/certificate.ts')
  // Of newer Nodes only; without a list in it this one is as old as its types.
  const newerNode: { trusts?: string[] } = {}
  return { root: selfSignedCertificate([], 'root'), newerNode }
})
vi.mock('node:tls', async (original) => ({
  ...(await original<typeof import('node:tls')>()),
  rootCertificates: [root.cert],
  getCACertificates: (which: string) => (which === 'default' ? newerNode.trusts : []),
}))

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trust-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Whom TLS connections trust where each of the variables names a file with this in it, which can be read as a whole. */
async function trustWith(contents: Readonly<Record<string, string>>): Promise<SecureContext> {
  const env: Record<string, string> = {}
  for (const [variable, content] of Object.entries(contents)) {
    env[variable] = join(folder, variable)
    await writeFile(env[variable], content)
  }
  const warn = vi.fn()
  const context = createTrust(env, warn)()
  expect(warn).not.toHaveBeenCalled()
  return context
}

async function isTrusted({ cert, key }: Certificate, secureContext: SecureContext): Promise<boolean> {
  const server = createServer({ cert, key })
  const port = await listenOnLoopback(server)
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', secureContext })
  const trusted = await once(socket, 'secureConnect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  server.close()
  return trusted
}

test('certificates of every variable are trusted beside each other and the usual ones', async () => {
  const variables = ['SSL_CERT_FILE', 'CODEX_CA_CERTIFICATE', 'NODE_EXTRA_CA_CERTS']
  const certificates = variables.map((name) => selfSignedCertificate([], name))
  const context = await trustWith(Object.fromEntries(variables.map((name, i) => [name, certificates[i]?.cert ?? ''])))
  for (const certificate of [...certificates, root]) expect(await isTrusted(certificate, context)).toBe(true)
  expect(await isTrusted(selfSignedCertificate(), context)).toBe(false)
})

test.each([
  ['SSL_CERT_FILE', 'nothing\n'],
  ['NODE_EXTRA_CA_CERTS', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
])('%s that names a file without a certificate is told as that', async (variable, content) => {
  const path = join(folder, 'none')
  await writeFile(path, content)
  const warn = vi.fn()
  createTrust({ [variable]: path }, warn)()
  const reason = 'the file holds no certificate in PEM'
  expect(warn.mock.calls).toEqual([[{ variable, reason }, 'certificates named by a variable were not read']])
})

test('with NODE_USE_SYSTEM_CA the certificates of the system stay trusted beside those of a variable', async () => {
  const [system, named] = [selfSignedCertificate([], 'system'), selfSignedCertificate([], 'named')]
  newerNode.trusts = [root.cert, system.cert]
  const context = await trustWith({ SSL_CERT_FILE: named.cert })
  delete newerNode.trusts
  for (const certificate of [system, named, root]) expect(await isTrusted(certificate, context)).toBe(true)
})

test('a certificate in the form of OpenSSL, which says itself that it is trusted, is trusted', async () => {
  const certificate = selfSignedCertificate()
  const content = certificate.cert.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')
  expect(await isTrusted(certificate, await trustWith({ SSL_CERT_FILE: content }))).toBe(true)
})

test('a variable that is empty names no file, and nothing is said of it', () => {
  const warn = vi.fn()
  createTrust({ SSL_CERT_FILE: '' }, warn)()
  expect(warn).not.toHaveBeenCalled()
})
