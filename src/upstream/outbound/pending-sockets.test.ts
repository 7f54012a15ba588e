import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { expect, test, vi } from 'vitest'
import { selfSignedCertificate } from '../../../test/support/certificate.ts'
import { listenOnLoopback } from '../../../test/support/loopback.ts'
import { PendingSockets } from './pending-sockets.ts'

test('what is still connecting is ended, what is connected stays', async () => {
  const server = createServer()
  const port = await listenOnLoopback(server)
  const pending = new PendingSockets()

  const connected = connect(port, '127.0.0.1')
  pending.follow(connected)
  await once(connected, 'connect')
  const connecting = connect(port, '127.0.0.1')
  pending.follow(connecting)
  await expectOnlyEnded(connecting, connected, pending)
  server.close()
})

test('over TLS what has shaken no hands yet is still connecting', async () => {
  const pending = new PendingSockets()
  const silent = createServer()
  const certificate = selfSignedCertificate()
  // The client leaves without having read everything, which resets the connection.
  const speaking = createTlsServer(certificate, (socket) => socket.on('error', () => {}))

  const connected = connectTls({ port: await listenOnLoopback(speaking), host: '127.0.0.1', ca: certificate.cert })
  pending.follow(connected)
  await once(connected, 'secureConnect')
  const connecting = connectTls({ port: await listenOnLoopback(silent), host: '127.0.0.1' })
  pending.follow(connecting)
  await once(connecting, 'connect')
  await expectOnlyEnded(connecting, connected, pending)
  speaking.close()
  silent.close()
})

test('what could not be connected is held no longer', async () => {
  const pending = new PendingSockets()
  // A port that no test is given.
  const refused = connect(1, '127.0.0.1').on('error', () => {})
  pending.follow(refused)
  await new Promise((resolve) => refused.once('close', resolve))
  const destroy = vi.spyOn(refused, 'destroy')
  pending.destroy()
  expect(destroy).not.toHaveBeenCalled()
})

test('a connector that returns no socket is no reason to fail', () => {
  const pending = new PendingSockets()
  pending.follow(undefined)
  pending.destroy()
})

async function expectOnlyEnded(connecting: Socket, connected: Socket, pending: PendingSockets): Promise<void> {
  const failure = once(connecting, 'error')
  pending.destroy()

  expect(await failure).toMatchObject([{ message: 'The proxy is stopping.' }])
  expect(connected.destroyed).toBe(false)
  connected.destroy()
}
