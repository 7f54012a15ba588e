import { connect, type Socket } from 'node:net'
import { answerProblem } from './answer-check.ts'
import type { LoadPlan } from './load-plan.ts'
import { MARK, monotonicMicros, TIME_DIGITS } from './order.ts'
import { requestBody } from './requests.ts'

/** What the connections of one load gather. */
export type LoadCounts = {
  begun: number
  answers: number
  deltas: number
  wrong: number
  firstProblem: string | undefined
  /** Microseconds, of the answers after the warm-up. */
  readonly firstDelta: number[]
  readonly whole: number[]
  readonly delays: number[]
}

export function newCounts(): LoadCounts {
  return { begun: 0, answers: 0, deltas: 0, wrong: 0, firstProblem: undefined, firstDelta: [], whole: [], delays: [] }
}

const MARK_BYTE = MARK.charCodeAt(0)
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n')
const STATUS_AT = 'HTTP/1.1 '.length
/** One answer in so many is read whole; of the others the deltas are counted and the HTTP end is awaited. */
const READ_WHOLE = 16
const RETRY_MS = 20
/** One buffer for all connections: what it holds is looked at before the next read. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

const requests = new Map<string, Buffer>()

/** The bytes of a request are made once. */
function requestBytes(plan: LoadPlan): Buffer {
  const key = JSON.stringify(plan)
  const made = requests.get(key)
  if (made !== undefined) return made
  const body = requestBody(plan.kind, plan.order, plan.imageBytes)
  const head = [
    `POST ${plan.path} HTTP/1.1`,
    `host: 127.0.0.1:${plan.port}`,
    'content-type: application/json',
    'authorization: Bearer unused',
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    '',
  ].join('\r\n')
  const bytes = Buffer.from(head + body)
  requests.set(key, bytes)
  return bytes
}

/** One stream after the other on one connection. */
export class LoadConnection {
  readonly #plan: LoadPlan
  readonly #counts: LoadCounts
  readonly #mayBegin: () => boolean
  readonly #request: Buffer
  #socket: Socket | undefined
  /** When the request was sent, microseconds; undefined while none is. */
  #askedAt: number | undefined
  #counted = false
  #firstBytes = true
  #deltas = 0
  /** Copies of the bytes of an answer that is read whole. */
  #whole: Buffer[] | undefined
  #tail = Buffer.alloc(0)

  constructor(plan: LoadPlan, counts: LoadCounts, mayBegin: () => boolean) {
    this.#plan = plan
    this.#counts = counts
    this.#mayBegin = mayBegin
    this.#request = requestBytes(plan)
  }

  get idle(): boolean {
    return this.#askedAt === undefined
  }

  close(): void {
    this.#askedAt = undefined
    this.#socket?.destroy()
  }

  begin(): void {
    if (!this.#mayBegin()) return
    const index = this.#counts.begun++
    this.#counted = index >= this.#plan.warmAnswers
    this.#whole = index % READ_WHOLE === 0 ? [] : undefined
    this.#firstBytes = true
    this.#deltas = 0
    this.#socket ??= this.#connect()
    this.#askedAt = monotonicMicros()
    this.#socket.write(this.#request)
  }

  #connect(): Socket {
    const onread = { buffer: readBuffer, callback: (count: number) => this.#read(readBuffer.subarray(0, count)) }
    const socket = connect({ host: '127.0.0.1', port: this.#plan.port, noDelay: true, onread })
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      if (this.#askedAt !== undefined) this.#fail('the connection was closed within the answer')
    })
    return socket
  }

  #read(bytes: Buffer): boolean {
    const now = monotonicMicros()
    if (this.#askedAt === undefined) return true
    if (this.#firstBytes && !isReadable(bytes)) {
      this.#fail(`the answer is ${bytes.toString('latin1', 0, 400)}`)
      return true
    }
    this.#firstBytes = false
    this.#whole?.push(Buffer.from(bytes))
    this.#countDeltas(bytes, now, this.#askedAt)
    if (this.#endsWithLastChunk(bytes)) this.#finish(now, this.#askedAt)
    return true
  }

  /** A Responses stream repeats its text at the end, which doesn't count. */
  #countDeltas(bytes: Buffer, now: number, askedAt: number): void {
    const { kind, order } = this.#plan
    const most = kind === 'responses' ? order.deltas : Number.POSITIVE_INFINITY
    let mark = bytes.indexOf(MARK_BYTE)
    if (mark !== -1 && this.#deltas === 0 && this.#counted) this.#counts.firstDelta.push(now - askedAt)
    const before = this.#deltas
    while (mark !== -1 && this.#deltas < most) {
      this.#deltas++
      if (order.says === 'time' && this.#counted) this.#noteDelay(bytes, mark + 1, now)
      mark = bytes.indexOf(MARK_BYTE, mark + 1)
    }
    this.#counts.deltas += this.#deltas - before
  }

  /** A time that is cut by the end of what was read isn't counted. */
  #noteDelay(bytes: Buffer, at: number, now: number): void {
    const sentAt = Number(bytes.toString('latin1', at, at + TIME_DIGITS))
    if (sentAt > 0 && at + TIME_DIGITS <= bytes.length) this.#counts.delays.push(now - sentAt)
  }

  #endsWithLastChunk(bytes: Buffer): boolean {
    const end = bytes.length >= LAST_CHUNK.length ? bytes : Buffer.concat([this.#tail, bytes])
    const tail = end.subarray(-LAST_CHUNK.length)
    if (tail.equals(LAST_CHUNK)) return true
    this.#tail = Buffer.from(tail)
    return false
  }

  #finish(now: number, askedAt: number): void {
    const { order } = this.#plan
    this.#tail = Buffer.alloc(0)
    const problem =
      this.#deltas === order.deltas ? this.#wholeProblem() : `there were ${this.#deltas} of ${order.deltas} deltas`
    if (problem !== undefined) {
      this.#fail(problem)
      return
    }
    this.#askedAt = undefined
    this.#counts.answers++
    if (this.#counted) this.#counts.whole.push(now - askedAt)
    this.begin()
  }

  #wholeProblem(): string | undefined {
    if (this.#whole === undefined) return undefined
    return answerProblem(this.#plan.kind, Buffer.concat(this.#whole), this.#plan.order)
  }

  #fail(problem: string): void {
    this.#askedAt = undefined
    this.#counts.wrong++
    this.#counts.firstProblem ??= problem
    this.#socket?.destroy()
    this.#socket = undefined
    setTimeout(() => this.begin(), RETRY_MS)
  }
}

/** Whether an answer is a 200 whose end this client can see; servers write their head in one piece. */
function isReadable(head: Buffer): boolean {
  const isOk = head.toString('latin1', STATUS_AT, STATUS_AT + 3) === '200'
  return isOk && /^transfer-encoding: *chunked\r$/im.test(head.toString('latin1', 0, head.indexOf('\r\n\r\n') + 1))
}
