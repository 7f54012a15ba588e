import { createServer } from 'node:http'
import { Socket } from 'node:net'
import { buildConnector } from 'undici'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { listenOnLoopback } from '../../../test/support/loopback.ts'
import { OutboundAgent } from './outbound-agent.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('a connection made ahead is not used after a renewal', async () => {
  const made: Socket[] = []
  const connector: buildConnector.connector = (_target, callback) => {
    const socket = new Socket()
    made.push(socket)
    callback(null, socket)
  }
  const way = new OutboundAgent(connector, 1_000, Date.now)
  way.keepWarm(new URL('https://upstream.example'))
  await vi.advanceTimersByTimeAsync(0)
  expect(made.map(({ destroyed }) => destroyed)).toEqual([false])
  const { agent } = way
  way.renew()
  expect(made.map(({ destroyed }) => destroyed)).toEqual([true])
  expect(way.agent).not.toBe(agent)
  await way.close()
})

test('an answer with 60 KB of headers is taken', async () => {
  const cookies = Array.from({ length: 60 }, (_, index) => `cookie-${index}=${'x'.repeat(1_000)}`)
  const server = createServer((_request, response) => response.setHeader('set-cookie', cookies).end('hello'))
  const origin = `http://127.0.0.1:${await listenOnLoopback(server)}`
  const way = new OutboundAgent(buildConnector({}), 1_000, Date.now)
  const { headers, body } = await way.agent.request({ origin, path: '/', method: 'GET' })
  expect([headers['set-cookie'], await body.text()]).toEqual([cookies, 'hello'])
  await way.close()
  server.close()
})
