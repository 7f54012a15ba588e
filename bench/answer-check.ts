import { deltaText, MARK, type Order, TIME_DIGITS } from './order.ts'
import type { Kind } from './requests.ts'

/** What is wrong with a whole answer, read as a client reads it; undefined when nothing is. */
export function answerProblem(kind: Kind, raw: Buffer, order: Order): string | undefined {
  const split = raw.indexOf('\r\n\r\n')
  const head = raw.toString('latin1', 0, split)
  if (!head.startsWith('HTTP/1.1 200')) return `the answer begins with ${head.slice(0, 40)}`
  const body = withoutChunks(raw.subarray(split + 4))
  if (body === undefined) return 'the HTTP chunks are broken'
  return streamProblem(kind, body, order)
}

/** The same for the body alone. */
export function streamProblem(kind: Kind, body: string, order: Order): string | undefined {
  const answer = kind === 'chat' ? readChat(body) : readResponses(body)
  if (!answer.ended) return 'the stream has no proper end'
  return textProblem(answer.text, order)
}

/** What is wrong with the deltas that came, all of them or the first few. */
export function textProblem(text: string, order: Order, whole = true): string | undefined {
  const deltas = text.match(/\S+ ?/g) ?? []
  if (whole && deltas.length !== order.deltas) return `${deltas.length} deltas came instead of ${order.deltas}`
  const wrong = deltas.findIndex((delta, index) => !isDelta(delta, order, index))
  return wrong === -1 ? undefined : `delta ${wrong} is ${JSON.stringify(deltas[wrong])}`
}

export type Answer = { readonly text: string; readonly ended: boolean; readonly failed: boolean }

export function readChat(body: string): Answer {
  const payloads = dataOf(body)
  const chunks = payloads.filter((data) => data !== '[DONE]').map(parse)
  let text = ''
  let reason: unknown
  for (const chunk of chunks) {
    const [choice] = chunk.choices ?? []
    text += choice?.delta?.content ?? ''
    reason = choice?.finish_reason ?? reason
  }
  const failed = chunks.some(({ error }) => error !== undefined)
  return { text, failed, ended: reason === 'stop' && payloads.at(-1) === '[DONE]' }
}

export function readResponses(body: string): Answer {
  const events = dataOf(body).map(parse)
  const text = events.map(({ type, delta }) => (type === 'response.output_text.delta' ? delta : '')).join('')
  const failed = events.some(({ type }) => type === 'error' || type === 'response.failed')
  return { text, failed, ended: events.at(-1)?.type === 'response.completed' }
}

/** The fields that are looked at; the answer is that of a program under test, so anything may be missing. */
type Payload = {
  readonly type?: string
  readonly delta?: string
  readonly error?: unknown
  readonly choices?: readonly { delta?: { content?: string | null }; finish_reason?: unknown }[]
}

function parse(data: string): Payload {
  return JSON.parse(data)
}

function isDelta(delta: string, order: Order, index: number): boolean {
  if (order.says !== 'time') return delta === deltaText(order, index)
  return delta.startsWith(MARK) && delta.length === TIME_DIGITS + 2
}

function dataOf(body: string): string[] {
  return body
    .split('\n\n')
    .flatMap((frame) => frame.split('\n'))
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length))
}

function withoutChunks(bytes: Buffer): string | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (lineEnd === -1 || Number.isNaN(size)) return undefined
    if (size === 0) return Buffer.concat(parts).toString()
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}
