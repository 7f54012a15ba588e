import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Agent } from 'undici'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Cancellation } from '../cancellation.ts'
import { exchange } from './transport.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

let agent: Agent
let server: Server
let origin = ''
/** What the server was sent, once its answer has begun; the answer goes on until the test ends. */
let received: { bytes: number; length: string | undefined; chunked: boolean }[] = []

beforeEach(async () => {
  received = []
  server = createServer(async (request, response) => {
    let bytes = 0
    for await (const chunk of request) bytes += (chunk as Buffer).length
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers
    received.push({ bytes, length, chunked: coding !== undefined })
    response.writeHead(200).flushHeaders()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  agent = new Agent({ pipelining: 1 })
})

afterEach(async () => {
  await agent.destroy()
  server.closeAllConnections()
  server.close()
})

const post = (body: readonly Buffer[]) =>
  exchange(agent, { origin, method: 'POST', path: '/', headers: [], body }, new Cancellation())

test.each([
  ['one small piece', [1000]],
  ['one large piece', [300_000]],
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
  // A weak reference holds what it gave until the end of the turn.
  await new Promise(setImmediate)
  collectGarbage()
  expect(held.map((piece) => piece.deref())).toEqual([undefined, undefined])
  answer.body.abort()
})
