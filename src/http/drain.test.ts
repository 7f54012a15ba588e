import { once } from 'node:events'
import { Agent, createServer, get, type Server } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { Cancellation } from '../cancellation.ts'
import { type Drain, followConnections } from './drain.ts'

const ONE_HOUR = 3_600_000
const silent = { warn: (_fields: object, _message: string) => {} }

async function listening(server: Server): Promise<{ port: number; drain: Drain }> {
  const drain = followConnections(server, new Cancellation())
  return { port: await listenOnLoopback(server), drain }
}

test('a connection that never carried a request does not hold up the end', async () => {
  const server = createServer()
  const { port, drain } = await listening(server)
  const accepted = once(server, 'connection')
  const unused = connect(port, '127.0.0.1')
  await accepted
  await Promise.all([drain.gently(ONE_HOUR, silent), once(unused, 'close')])
})

test('an answer that is running finishes, then its kept-alive connection is closed', async () => {
  const server = createServer()
  const { port, drain } = await listening(server)
  const agent = new Agent({ keepAlive: true })
  const answered = new Promise<string>((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent }, (response) => {
      let text = ''
      response.on('data', (bytes) => {
        text += bytes
      })
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
  const [, response] = await once(server, 'request')
  const drained = drain.gently(ONE_HOUR, silent)
  response.end('whole')
  expect(await answered).toBe('whole')
  await drained
  agent.destroy()
})

test('after the deadline what still runs is cut, and that is logged', async () => {
  const server = createServer()
  const { port, drain } = await listening(server)
  const requested = once(server, 'request')
  const cut = once(get({ port, host: '127.0.0.1' }), 'error')
  await requested
  const warnings: string[] = []
  await drain.gently(1, { warn: (_fields: object, message: string) => void warnings.push(message) })
  await cut
  expect(warnings).toEqual(['answers still running are ended'])
})
