import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { discardRest, isClosing } from './linger.ts'

const NEVER = 3_600_000
const LENGTH = 1_000_000
const HEAD = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${LENGTH}\r\n\r\n`

let server: Server | undefined
let client: Socket | undefined

afterEach(() => {
  client?.destroy()
  server?.closeAllConnections()
  server?.close()
})

/** A client that has sent `HEAD` and was refused; `ended` resolves when its body is no longer read. */
async function refused(bounds: object): Promise<{ client: Socket; request: IncomingMessage; ended: Promise<'ended'> }> {
  server = createServer()
  client = connect(await listenOnLoopback(server), '127.0.0.1')
  client.on('error', () => {})
  client.write(HEAD)
  const [request] = (await once(server, 'request')) as [IncomingMessage]
  const ended = new Promise<'ended'>((resolve) => {
    const whole = { silenceMs: NEVER, longestMs: NEVER, mostBytes: LENGTH }
    discardRest(request, () => resolve('ended'), { ...whole, ...bounds })
  })
  return { client, request, ended }
}

test('a body is read to its end, on a connection that takes no other request', async () => {
  const { client, request, ended } = await refused({})
  expect(isClosing(request.socket)).toBe(true)
  client.write(Buffer.alloc(LENGTH - 1))
  await expect.poll(() => request.socket.bytesRead).toBe(HEAD.length + LENGTH - 1)
  expect(await Promise.race([ended, 'goes on'])).toBe('goes on')
  client.write('x')
  await ended
})

test('a client that sends no more is not waited for', async () => {
  const { ended } = await refused({ silenceMs: 20 })
  await ended
})

test('a client that drips is cut off', async () => {
  const { client, ended } = await refused({ longestMs: 50 })
  const dripping = setInterval(() => client.write('x'), 5)
  await ended
  clearInterval(dripping)
})

test('a client that sends much is cut off', async () => {
  const { client, ended } = await refused({ mostBytes: 1000 })
  client.write(Buffer.alloc(1001))
  await ended
})

describe('a body that', () => {
  /** Comes as the test says; `closed` is how often the connection was closed. */
  function startDiscarding(fields: object = {}) {
    const resume = vi.fn()
    const body = Object.assign(new EventEmitter(), { socket: {}, destroyed: false, resume, ...fields })
    const close = vi.fn()
    discardRest(body as unknown as IncomingMessage, close, { silenceMs: 1000, longestMs: NEVER, mostBytes: 10 })
    return { body, close, resume }
  }

  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('was paused is read on', () => {
    expect(startDiscarding().resume).toHaveBeenCalledOnce()
  })

  test('is gone already is not waited for', () => {
    const { close, resume } = startDiscarding({ destroyed: true })
    vi.advanceTimersByTime(2000)
    expect(close).toHaveBeenCalledOnce()
    expect(resume).not.toHaveBeenCalled()
  })

  test('pauses is waited for from its last piece on', () => {
    const { body, close } = startDiscarding()
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(900)
      body.emit('data', Buffer.from('x'))
    }
    vi.advanceTimersByTime(999)
    expect(close).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(close).toHaveBeenCalledOnce()
  })

  test.each(['end', 'close'])('has come to its %s closes the connection at once', (event) => {
    const { body, close } = startDiscarding()
    body.emit(event)
    expect(close).toHaveBeenCalledOnce()
  })

  test('is as large as it may be is read, and closes its connection once, whatever else comes', () => {
    const { body, close } = startDiscarding()
    body.emit('data', Buffer.alloc(10))
    expect(close).not.toHaveBeenCalled()
    for (const event of ['end', 'close', 'end']) body.emit(event)
    body.emit('data', Buffer.alloc(10))
    vi.advanceTimersByTime(2000)
    expect(close).toHaveBeenCalledOnce()
  })
})

test('a client that leaves ends it', async () => {
  const { client, ended } = await refused({})
  client.destroy()
  await ended
})
