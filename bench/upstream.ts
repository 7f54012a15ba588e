import { createServer, type Socket } from 'node:net'
import { catalogueFor, MODELS } from '../test/fake-upstream/models.ts'
import { answerDelta, answerEnd, answerStart, wholeAnswer } from './answer-events.ts'
import { deltaText, findOrder, type Order } from './order.ts'
import { announce, exitWithParent } from './process-life.ts'
import { type Request, RequestReader } from './request-reader.ts'

// A process of its own: the ChatGPT backend, played as fast as Node can. What an answer is, the prompt says (order.ts).

export type UpstreamStats = { bodyBytes: number; openAnswers: number }

let bodyBytes = 0
const connections = new Set<Socket>()
/** Connections with an answer on its way. */
const busy = new Set<Socket>()
const ready = new Map<number, Buffer>()
const start = answerStart()

function answer(socket: Socket, request: Request): void {
  if (request.path.endsWith('/responses')) respond(socket, request)
  else if (request.path.endsWith('/models')) answerJson(socket, catalogueFor(MODELS, '0.200.0'))
  else if (request.path === '/bench/close-idle') closeIdle(socket)
  else answerJson(socket, currentStats())
}

function respond(socket: Socket, request: Request): void {
  bodyBytes += request.bodyBytes
  const order = findOrder(request.bodyStart)
  if (order.fault === 'before') socket.resetAndDestroy()
  else if (order.pause === 0 && order.says === 'number') socket.write(readyAnswer(order))
  else pace(socket, order)
}

function readyAnswer(order: Order): Buffer {
  const made = ready.get(order.deltas) ?? wholeAnswer(order)
  ready.set(order.deltas, made)
  return made
}

function pace(socket: Socket, order: Order): void {
  busy.add(socket)
  socket.write(start)
  let text = ''
  let sent = 0
  const timer = setInterval(() => {
    // A reader that doesn't read gets no more: this process shall not be the one that grows.
    if (socket.writableNeedDrain) return
    if (order.fault === 'within' && sent >= order.deltas / 2) {
      socket.resetAndDestroy()
      return
    }
    if (sent < order.deltas) {
      const delta = deltaText(order, sent)
      socket.write(answerDelta(delta, sent), 'latin1')
      text += delta
      sent++
      return
    }
    stop()
    socket.off('close', stop)
    socket.write(answerEnd(text, sent))
  }, order.pause)
  const stop = () => {
    clearInterval(timer)
    busy.delete(socket)
  }
  socket.once('close', stop)
}

function currentStats(): UpstreamStats {
  return { bodyBytes, openAnswers: busy.size }
}

function closeIdle(asking: Socket): void {
  for (const socket of connections) if (socket !== asking && !busy.has(socket)) socket.destroy()
  answerJson(asking, currentStats())
}

function answerJson(socket: Socket, value: object): void {
  const body = JSON.stringify(value)
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`
  socket.write(head + body)
}

const server = createServer({ noDelay: true }, (socket) => {
  connections.add(socket)
  const reader = new RequestReader((request) => answer(socket, request))
  socket.on('data', (bytes: Buffer) => reader.feed(bytes))
  // A proxy or a client that leaves is part of the tests.
  socket.on('error', () => {})
  socket.on('close', () => connections.delete(socket))
})
exitWithParent()
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => announce(server.address()))
