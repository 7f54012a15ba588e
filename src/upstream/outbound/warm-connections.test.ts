import { once } from 'node:events'
import { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WarmConnections } from './warm-connections.ts'

const ORIGIN = new URL('https://upstream.example/backend-api/codex')
const TARGET = { protocol: 'https:', host: 'upstream.example', hostname: 'upstream.example', port: '' }

describe('connections made ahead', () => {
  let made: Socket[]
  let targets: buildConnector.Options[]
  let refuse: Error | undefined
  /** What connects when it is called; undefined: connections are there at once. */
  let connecting: (() => void)[] | undefined
  let warm: WarmConnections

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    made = []
    targets = []
    refuse = undefined
    connecting = undefined
    const connect: buildConnector.connector = (target, callback) => {
      const socket = new Socket()
      made.push(socket)
      targets.push(target)
      if (connecting !== undefined) connecting.push(() => callback(null, socket))
      else if (refuse === undefined) callback(null, socket)
      else callback(refuse, null)
    }
    warm = new WarmConnections(connect, Date.now)
  })
  afterEach(() => {
    warm.close()
    vi.useRealTimers()
  })

  /** What undici does when it needs a connection. */
  const ask = (target: buildConnector.Options = TARGET) =>
    new Promise<unknown>((resolve) => warm.connect(target, (error, socket) => resolve(error ?? socket)))

  const closeFromAfar = async (socket: Socket | undefined) => {
    if (socket === undefined) throw new Error('There is no such connection.')
    const closed = once(socket, 'close')
    socket.destroy()
    await closed
  }

  test('one lies ready, is handed out once, and is replaced', async () => {
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    expect(made).toHaveLength(1)
    expect(await ask()).toBe(made[0])
    await vi.advanceTimersByTimeAsync(50)
    expect(made).toHaveLength(2)
    expect(await ask()).toBe(made[1])
  })

  test.each([
    ['https://upstream.example/v1', { ...TARGET }],
    [
      'https://[2001:db8::1]:8443',
      { protocol: 'https:', host: '[2001:db8::1]:8443', hostname: '2001:db8::1', port: '8443' },
    ],
  ])('it is made to where requests to %s go', async (origin, target) => {
    warm.keepWarm(new URL(origin))
    await vi.advanceTimersByTimeAsync(0)
    expect(targets).toEqual([target])
    expect(await ask(target)).toBe(made[0])
  })

  test('while one is being made no other is', async () => {
    connecting = []
    for (let second = 0; second < 10; second++) {
      warm.keepWarm(ORIGIN)
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(made).toHaveLength(1)
  })

  test('one that is used is left alone: it neither ends with its first minute, nor costs its successor when it ends', async () => {
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    await ask()
    await vi.advanceTimersByTimeAsync(55_000)
    await ask()
    await vi.advanceTimersByTimeAsync(55_000)
    expect(made.map(({ destroyed }) => destroyed)).toEqual([false, false, false])
    await closeFromAfar(made[0])
    await vi.advanceTimersByTimeAsync(0)
    expect(await ask()).toBe(made[2])
  })

  test('however often an origin is named, one is made', async () => {
    for (let count = 0; count < 100; count++) warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(1_000)
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(made).toHaveLength(1)
  })

  test('they hold no process: one is counted as open only when it is used', async () => {
    const unref = vi.spyOn(Socket.prototype, 'unref')
    const ref = vi.spyOn(Socket.prototype, 'ref')
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    expect([unref.mock.contexts, ref.mock.contexts]).toEqual([[made[0]], []])
    await ask()
    expect(ref.mock.contexts).toEqual([made[0]])
    unref.mockRestore()
    ref.mockRestore()
  })

  test('for a request without one ready a connection is made, and the next lies ready', async () => {
    warm.keepWarm(ORIGIN)
    const callback = vi.fn()
    warm.connect(TARGET, callback)
    await vi.advanceTimersByTimeAsync(50)
    expect(callback.mock.calls).toEqual([[null, made[0]]])
    expect(made).toHaveLength(2)
  })

  test('none is made for origins nobody named, for plain HTTP, or taken for another server name', async () => {
    warm.keepWarm(new URL('http://127.0.0.1:8080'))
    expect(await ask({ ...TARGET, host: 'issuer.example', hostname: 'issuer.example' })).toBe(made[0])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(made).toHaveLength(1)
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    expect(await ask({ ...TARGET, servername: 'other.example' })).toBe(made[2])
  })

  // undici names none by null, which its types don't say.
  test.each([{}, { servername: null }, { servername: '' }, { servername: 'upstream.example' }])(
    'it is taken for %j, which is no other name',
    async (named) => {
      warm.keepWarm(ORIGIN)
      await vi.advanceTimersByTimeAsync(0)
      expect(await ask({ ...TARGET, ...named } as buildConnector.Options)).toBe(made[0])
    },
  )

  test('one that upstream closed, or said something on, is not handed out', async () => {
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    await closeFromAfar(made[0])
    expect(await ask()).toBe(made[1])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(made).toHaveLength(3)
    made[2]?.push('HTTP/1.1 408 Request Timeout\r\n\r\n')
    expect(await ask()).toBe(made[3])
    expect(made[2]?.destroyed).toBe(true)
    await vi.advanceTimersByTimeAsync(1_000)
    made[4]?.destroy()
    expect(await ask()).toBe(made[5])
  })

  test('one that slept with the machine is not handed out', async () => {
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    vi.setSystemTime(Date.now() + 3_600_000)
    expect(await ask()).toBe(made[1])
    expect(made[0]?.destroyed).toBe(true)
    await vi.advanceTimersByTimeAsync(50)
    expect(await ask()).toBe(made[2])
  })

  test('one that may have ended without a word is dropped, and the next request sees to another', async () => {
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    warm.dropSpares()
    expect(made[0]?.destroyed).toBe(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(made).toHaveLength(1)
    expect(await ask()).toBe(made[1])
    await vi.advanceTimersByTimeAsync(50)
    expect(await ask()).toBe(made[2])
  })

  test('an upstream that closes idle connections at once gets fewer and fewer', async () => {
    warm.keepWarm(ORIGIN)
    for (let second = 0; second < 120; second++) {
      await vi.advanceTimersByTimeAsync(1_000)
      warm.keepWarm(ORIGIN)
      const last = made.at(-1)
      if (last?.destroyed === false) await closeFromAfar(last)
    }
    expect(made.length).toBeGreaterThan(3)
    expect(made.length).toBeLessThan(10)
  })

  test('an upstream that refuses is asked ahead fewer and fewer times, and requests still try themselves', async () => {
    refuse = new Error('refused')
    warm.keepWarm(ORIGIN)
    for (let second = 0; second < 120; second++) {
      await vi.advanceTimersByTimeAsync(1_000)
      warm.keepWarm(ORIGIN)
    }
    expect(made.length).toBeGreaterThan(3)
    expect(made.length).toBeLessThan(10)
    expect(await ask()).toBe(refuse)
  })

  test('it is renewed every minute, until five minutes after the last request', async () => {
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(60_010)
    expect(made.map(({ destroyed }) => destroyed)).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(made.length).toBeGreaterThan(4)
    expect(made.length).toBeLessThan(8)
    expect(made.every((socket) => socket.destroyed)).toBe(true)
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    expect(made.at(-1)?.destroyed).toBe(false)
  })

  test('a clock that is set back keeps no connection from being made ahead', async () => {
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    await closeFromAfar(made[0])
    await vi.advanceTimersByTimeAsync(1_000)
    vi.setSystemTime(Date.now() - 3_600_000)
    warm.keepWarm(ORIGIN)
    expect(await ask()).toBe(made[1])
    await vi.advanceTimersByTimeAsync(50)
    expect(made).toHaveLength(3)
  })

  test('a clock that is set back keeps none alive for nothing', async () => {
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    vi.setSystemTime(0)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(made).toHaveLength(1)
    expect(made[0]?.destroyed).toBe(true)
  })

  test('after the end none is left and none is made', async () => {
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    warm.close()
    expect(made[0]?.destroyed).toBe(true)
    warm.keepWarm(ORIGIN)
    warm.keepWarm(new URL('https://other.example'))
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(made).toHaveLength(1)
  })

  test('one that is due at the end is not made, and one on its way is closed', async () => {
    connecting = []
    warm.keepWarm(ORIGIN)
    await vi.advanceTimersByTimeAsync(0)
    warm.keepWarm(new URL('https://other.example'))
    warm.close()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(made).toHaveLength(1)
    connecting[0]?.()
    expect(made[0]?.destroyed).toBe(true)
  })
})
