import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { stillHeld } from '../../test/support/garbage.ts'
import { listenOnLoopback } from '../../test/support/loopback.ts'
import { Cancellation } from '../cancellation.ts'
import { type AnswerBody, UpstreamSilent } from './answer.ts'
import { BodyMemory } from './body-memory.ts'
import { exchange } from './transport.ts'

let agent: Agent
let server: Server
let origin = ''
/** What the server was sent, once its answer has begun; the answer goes on until the test ends. */
let received: { bytes: number; length: string | undefined; chunked: boolean }[] = []
let receivedBody: Buffer

beforeEach(async () => {
  received = []
  server = createServer(async (request, response) => {
    receivedBody = Buffer.concat(await request.toArray())
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers
    received.push({ bytes: receivedBody.length, length, chunked: coding !== undefined })
    response.writeHead(200).flushHeaders()
  })
  origin = `http://127.0.0.1:${await listenOnLoopback(server)}`
  agent = new Agent({ pipelining: 1 })
})

afterEach(async () => {
  await agent.destroy()
  server.closeAllConnections()
  server.close()
})

const IDLE_TIMEOUT = 10_000

const post = (body: readonly Buffer[], memory?: BodyMemory, dispatcher: Dispatcher = agent) =>
  exchange(
    dispatcher,
    { origin, method: 'POST', path: '/', headers: [], body, memory, idleTimeout: IDLE_TIMEOUT },
    new Cancellation(),
  )

/** The body of an answer that has begun and says nothing more; `failed` is told when it fails. */
async function openSilent(failed = (_error: Error) => {}): Promise<{ body: AnswerBody; failure: Promise<Error> }> {
  const { body } = await post([])
  const failure = new Promise<Error>((resolve) => {
    body.pipe({
      data() {},
      end() {},
      fail(error) {
        failed(error)
        resolve(error)
      },
    })
  })
  return { body, failure }
}

test.each([
  ['one small piece', [1000]],
  ['one large piece', [300_000]],
  ['two small pieces', [1000, 10]],
  ['many pieces', [10, 200_000, 1, 65_536]],
])('%s is sent whole, with its length', async (_name, sizes) => {
  const answer = await post(sizes.map((size) => Buffer.alloc(size, 'a')))
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  expect(received).toEqual([{ bytes, length: String(bytes), chunked: false }])
  answer.body.abort()
})

test('a large body is let go once it is sent, while its answer still streams', async () => {
  const pieces = [Buffer.alloc(1_000_000, 'a'), Buffer.alloc(1_000_000, 'b')]
  const held = pieces.map((piece) => new WeakRef(piece))
  const answer = await post(pieces.splice(0))
  expect(await stillHeld(held)).toEqual([])
  answer.body.abort()
})

test('the head of an answer is let go while its body still streams', async () => {
  const open = async () => {
    const { headers, body } = await post([])
    return { head: new WeakRef(headers), body }
  }
  const { head, body } = await open()
  expect(await stillHeld([head])).toEqual([])
  body.abort()
})

/** What undici is given to send. */
function handedOver(body: readonly Buffer[], memory: BodyMemory): unknown {
  const dispatch = vi.fn((_options: Dispatcher.DispatchOptions) => true)
  void post(body, memory, { dispatch } as unknown as Dispatcher)
  return dispatch.mock.calls[0]?.[0].body
}

/** The same, for the test to take piece by piece as undici does. */
function takenByPieces(body: readonly Buffer[], memory: BodyMemory): Iterator<Buffer> {
  return (handedOver(body, memory) as Iterable<Buffer>)[Symbol.iterator]()
}

test('what a body is a view of can be freed once undici has asked for more than there is', () => {
  const bytes = Buffer.allocUnsafeSlow(200_000)
  const memory = new BodyMemory([bytes])
  const sending = takenByPieces([bytes.subarray(0, 100_000), bytes.subarray(100_000)], memory)
  sending.next()
  sending.next()
  memory.free()
  expect(bytes.length).toBe(200_000)
  expect(sending.next().done).toBe(true)
  memory.free()
  expect(bytes.length).toBe(0)
})

test('a piece that undici does not wait for is a copy', () => {
  const bytes = Buffer.alloc(200_000, 'a')
  const pieces = [bytes.subarray(0, 100_000), bytes.subarray(100_000, 165_535)]
  const sending = takenByPieces(pieces, new BodyMemory([bytes]))
  expect(sending.next().value.buffer).toBe(bytes.buffer)
  const { value: last } = sending.next()
  expect(last.buffer).not.toBe(bytes.buffer)
  expect(last).toEqual(bytes.subarray(100_000, 165_535))
})

test('a large piece is handed over in parts: the time for the answer starts anew with each', () => {
  const bytes = randomBytes(2_500_000)
  const sending = takenByPieces([bytes], new BodyMemory([bytes]))
  const parts = Array.from({ length: 3 }, () => sending.next().value)
  expect(parts.map(({ length }) => length)).toEqual([1_048_576, 1_048_576, 402_848])
  expect(Buffer.concat(parts).equals(bytes)).toBe(true)
  expect(sending.next().done).toBe(true)
})

test('no socket holds back more than a piece that is waited for', async () => {
  const connected = vi.fn()
  buildConnector({})({ hostname: '127.0.0.1', port: new URL(origin).port, protocol: 'http:' }, connected)
  await expect.poll(() => connected.mock.calls).toHaveLength(1)
  const [, ofUndici] = connected.mock.calls[0] ?? []
  expect(ofUndici.writableHighWaterMark).toBeLessThanOrEqual(64 * 1024)
  expect(new Socket().writableHighWaterMark).toBeLessThanOrEqual(64 * 1024)
  ofUndici.destroy()
})

test('a body that is sent in one piece is left to the collector: nothing tells when it has been sent', () => {
  const bytes = Buffer.allocUnsafeSlow(64 * 1024)
  const memory = new BodyMemory([bytes])
  expect(handedOver([bytes], memory)).toBe(bytes)
  memory.free()
  expect(bytes.length).toBe(64 * 1024)
})

test('a body whose memory is freed as soon as it may be arrives as it was', async () => {
  const expected = randomBytes(5_000_000)
  const bytes = Buffer.allocUnsafeSlow(expected.length)
  expected.copy(bytes)
  const memory = new BodyMemory([bytes])
  vi.spyOn(memory, 'release').mockImplementation(() => {
    BodyMemory.prototype.release.call(memory)
    memory.free()
  })
  const pieces = [0, 262_144, 524_288, 4_999_000].map((at, index, all) => bytes.subarray(at, all[index + 1]))
  const { body } = await post(pieces, memory)
  expect(bytes.length).toBe(0)
  expect(receivedBody.equals(expected)).toBe(true)
  body.abort()
})

test('an answer that is aborted ends its connection', async () => {
  const connected = once(server, 'connection')
  const { body } = await post([])
  const [connection] = await connected
  body.abort()
  await once(connection, 'close')
})

test('what is cancelled before its answer rejects with the reason, and ends its connection', async () => {
  server.removeAllListeners('request')
  const arrived = once(server, 'request')
  const cancellation = new Cancellation()
  const wire = { origin, method: 'GET', path: '/', headers: [], body: undefined, idleTimeout: IDLE_TIMEOUT }
  const answer = exchange(agent, wire, cancellation)
  const [{ socket }] = await arrived
  const reason = new Error('The client left.')
  cancellation.cancel(reason)
  await expect(answer).rejects.toBe(reason)
  await once(socket, 'close')
})

test('what has ended is let go of by what would have cancelled it', async () => {
  server.removeAllListeners('request').on('request', (_request, response) => response.end('whole'))
  const cancellation = new Cancellation()
  const [added, removed] = [vi.spyOn(cancellation, 'add'), vi.spyOn(cancellation, 'remove')]
  const wire = { origin, method: 'GET', path: '/', headers: [], body: undefined, idleTimeout: IDLE_TIMEOUT }
  const { body } = await exchange(agent, wire, cancellation)
  await new Promise<void>((end) => body.pipe({ data() {}, end, fail() {} }))
  expect(added).toHaveBeenCalledOnce()
  expect(removed.mock.calls).toContainEqual(added.mock.lastCall)
})

test('what is cancelled when its answer has begun tells nothing to who reads it only then, and leaves no timer', async () => {
  const cancellation = new Cancellation()
  const wire = { origin, method: 'GET', path: '/', headers: [], body: undefined, idleTimeout: IDLE_TIMEOUT }
  const { body } = await exchange(agent, wire, cancellation)
  cancellation.cancel(new Error('The client left.'))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const told = vi.fn()
  body.pipe({ data: told, end: told, fail: told })
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  await nextTurn()
  expect(told).not.toHaveBeenCalled()
})

test('what upstream says before its answer, such as 103, is passed over', async () => {
  server.prependListener('request', (_request, response) => response.writeEarlyHints({ link: '</x>; rel=preload' }))
  const { status, body } = await post([])
  expect(status).toBe(200)
  body.abort()
})

describe('silence within an answer', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  test('that lasts too long is a failure', async () => {
    const { failure } = await openSilent()
    vi.advanceTimersByTime(IDLE_TIMEOUT)
    expect(await failure).toBeInstanceOf(UpstreamSilent)
  })

  test('does not count while the answer is paused; once resumed it has all of the time again', async () => {
    const failed = vi.fn()
    const { body, failure } = await openSilent(failed)
    body.pause()
    vi.advanceTimersByTime(2 * IDLE_TIMEOUT)
    body.resume()
    vi.advanceTimersByTime(IDLE_TIMEOUT - 1)
    await nextTurn()
    expect(failed).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(await failure).toBeInstanceOf(UpstreamSilent)
  })
})
