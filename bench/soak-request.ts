import { type Agent, type IncomingMessage, request } from 'node:http'
import { readChat, readResponses, streamProblem, textProblem } from './answer-check.ts'
import type { Order } from './order.ts'
import { type Kind, PATHS, requestBody } from './requests.ts'

type SoakRequest = {
  readonly agent: Agent
  readonly port: number
  readonly kind: Kind
  readonly order: Order
  /** The client goes away after so many milliseconds. */
  readonly leaveAfterMs: number | undefined
}

/** `crossed`: something of another answer was in it. */
export type Problem = { readonly what: string; readonly crossed: boolean }

/** An answer that takes this much longer than it has to, hangs. */
const PATIENCE_MS = 60_000

/** Asks once, and looks whether it ended as it was to; undefined when it did. */
export async function soakRequest(asked: SoakRequest): Promise<Problem | undefined> {
  const { order, leaveAfterMs } = asked
  const heard = await ask(asked)
  const strange = foreignText(asked, heard)
  if (strange !== undefined) return { what: strange, crossed: true }
  // Whoever leaves may have been answered just before; there is nothing more to expect.
  if (leaveAfterMs !== undefined) return undefined
  const what = order.fault === 'none' ? answerProblem(asked, heard) : faultProblem(asked, heard)
  return what === undefined ? undefined : { what, crossed: false }
}

/** What a client got to know. */
type Heard = {
  /** 0 when not even the status came. */
  readonly status: number
  readonly body: string
  /** Why the connection broke, if it did. */
  readonly broken: string | undefined
}

function ask({ agent, port, kind, order, leaveAfterMs }: SoakRequest): Promise<Heard> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    let status = 0
    const body = requestBody(kind, order, 0)
    const sent = request({ agent, port, host: '127.0.0.1', path: PATHS[kind], method: 'POST', headers: HEADERS })
    const leave = setTimeout(
      () => sent.destroy(new Error('the client left')),
      leaveAfterMs ?? order.deltas * order.pause + PATIENCE_MS,
    )
    const end = (broken?: string) => {
      clearTimeout(leave)
      resolve({ status, body: Buffer.concat(pieces).toString(), broken })
    }
    sent.once('error', (error) => end(error.message))
    sent.once('response', (answer: IncomingMessage) => {
      status = answer.statusCode ?? 0
      answer.on('data', (bytes: Buffer) => pieces.push(bytes))
      answer.once('end', () => end())
      answer.once('error', (error) => end(error.message))
    })
    sent.end(body)
  })
}

const HEADERS = { 'content-type': 'application/json', authorization: 'Bearer unused' }

/** Every delta names the stream it belongs to. */
function foreignText({ kind, order }: SoakRequest, { status, body }: Heard): string | undefined {
  if (status !== 200) return undefined
  const whole = body.slice(0, body.lastIndexOf('\n\n') + 2)
  const { text } = kind === 'chat' ? readChat(whole) : readResponses(whole)
  return textProblem(text, order, false)
}

function answerProblem({ kind, order }: SoakRequest, { status, body, broken }: Heard): string | undefined {
  if (broken !== undefined) return `the connection broke after status ${status}: ${broken}`
  if (status !== 200) return `the status is ${status}: ${body.slice(0, 300)}`
  return streamProblem(kind, body, order)
}

/** Upstream broke: the client must be told, by a status of an upstream fault, or by an error within the stream. */
function faultProblem({ kind }: SoakRequest, { status, body, broken }: Heard): string | undefined {
  if (broken !== undefined) return `the connection broke after status ${status}: ${broken}`
  if (status !== 200) return status === 502 && hasError(body) ? undefined : `${status}: ${body.slice(0, 300)}`
  const { failed, ended } = kind === 'chat' ? readChat(body) : readResponses(body)
  if (ended) return 'the stream ends as if it were whole'
  return failed ? undefined : 'the stream ends without an error'
}

function hasError(body: string): boolean {
  try {
    return typeof JSON.parse(body).error?.code === 'string'
  } catch {
    return false
  }
}
