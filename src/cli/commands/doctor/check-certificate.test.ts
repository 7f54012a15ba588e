import { type ConnectionOptions, connect, createServer } from 'node:tls'
import { expect, onTestFinished, test, vi } from 'vitest'
import { selfSignedCertificate } from '../../../../test/support/certificate.ts'
import { listenOnLoopback } from '../../../../test/support/loopback.ts'
import { checkCertificate } from './check-certificate.ts'

vi.mock(import('node:tls'), { spy: true })

test('the certificate of a server on an IPv6 address is judged too', async () => {
  const server = createServer(selfSignedCertificate())
  const port = await listenOnLoopback(server)
  onTestFinished(() => void server.close())
  const tls = await vi.importActual<typeof import('node:tls')>('node:tls')
  // Not every machine has IPv6, so only the address is looked at.
  const asked: ConnectionOptions[] = []
  const toLoopback = (options: ConnectionOptions) => {
    asked.push(options)
    return tls.connect({ ...options, host: '127.0.0.1' })
  }
  vi.mocked<(options: ConnectionOptions) => ReturnType<typeof connect>>(connect).mockImplementationOnce(toLoopback)
  const checks = await checkCertificate({ url: `https://[::1]:${port}` }, { tlsCert: undefined })
  expect(asked).toEqual([expect.objectContaining({ host: '::1', port })])
  expect(checks).toEqual([expect.objectContaining({ name: 'Certificate', state: 'ok' })])
})
