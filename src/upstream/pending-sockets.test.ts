import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
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
  const failure = once(connecting, 'error')
  pending.destroy()

  expect(await failure).toMatchObject([{ message: 'The proxy is stopping.' }])
  expect(connected.destroyed).toBe(false)
  connected.destroy()
  server.close()
})

test('a connector that returns no socket is no reason to fail', () => {
  const pending = new PendingSockets()
  pending.follow(undefined)
  pending.destroy()
})
