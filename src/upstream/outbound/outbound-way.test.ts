import { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { OutboundWay } from './outbound-way.ts'

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
  const way = new OutboundWay(connector, 1_000, Date.now)
  way.keepWarm(new URL('https://upstream.example'))
  await vi.advanceTimersByTimeAsync(0)
  expect(made.map(({ destroyed }) => destroyed)).toEqual([false])
  const { agent } = way
  way.renew()
  expect(made.map(({ destroyed }) => destroyed)).toEqual([true])
  expect(way.agent).not.toBe(agent)
  await way.close()
})
