import { responseEvents, type StreamEvent } from '../test/fake-upstream/event-stream.ts'
import { deltaText, type Order } from './order.ts'

/** As the real service pads its deltas, so that their lengths tell nothing. */
const PADDING = ['q7Lw0', 'Vb2kTz9s', 'm', 'X4dRfN1pWc6J']

const RESPONSE_HEAD = [
  'HTTP/1.1 200 OK',
  'content-type: text/event-stream; charset=utf-8',
  'cache-control: no-cache',
  'transfer-encoding: chunked',
  'x-request-id: 3f0f9c5e-0000-4000-8000-00000000be7c',
  'x-codex-primary-used-percent: 7',
  'x-codex-primary-window-minutes: 300',
  'x-codex-primary-reset-after-seconds: 8000',
  'server: cloudflare',
  '',
  '',
].join('\r\n')

const LAST_CHUNK = '0\r\n\r\n'

/** Everything an answer begins with: head and the events before the first delta. */
export function answerStart(): Buffer {
  return Buffer.from(RESPONSE_HEAD + PRELUDE.map(chunk).join(''))
}

export function answerDelta(text: string, index: number): string {
  return chunk(deltaFrame(text, PRELUDE.length + index))
}

/** The closing events repeat the whole text, as the real ones do. */
export function answerEnd(text: string, deltas: number): Buffer {
  return Buffer.from(closing(text, deltas).map(chunk).join('') + LAST_CHUNK)
}

/** A whole answer whose deltas are known beforehand. */
export function wholeAnswer(order: Order): Buffer {
  const texts = Array.from({ length: order.deltas }, (_, index) => deltaText(order, index))
  const deltas = Buffer.from(texts.map(answerDelta).join(''))
  return Buffer.concat([answerStart(), deltas, answerEnd(texts.join(''), order.deltas)])
}

/** One event is one HTTP chunk, as the real service sends them. */
function chunk(frame: string): string {
  return `${Buffer.byteLength(frame).toString(16)}\r\n${frame}\r\n`
}

const isDelta = ({ type }: StreamEvent) => type.endsWith('.delta')

const PRELUDE: readonly string[] = frames(untilDelta(responseEvents([{ text: 'x' }])), 0)

function closing(text: string, deltas: number): string[] {
  const events = responseEvents([{ text }])
  const last = events.findLastIndex(isDelta)
  return frames(events.slice(last + 1), PRELUDE.length + deltas)
}

function untilDelta(events: readonly StreamEvent[]): readonly StreamEvent[] {
  return events.slice(0, events.findIndex(isDelta))
}

function frames(events: readonly StreamEvent[], firstNumber: number): string[] {
  return events.map(({ type, ...rest }, index) => frame(type, { ...rest, sequence_number: firstNumber + index }))
}

function frame(type: string, { sequence_number, ...rest }: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...rest })}\n\n`
}

function deltaFrame(delta: string, sequence_number: number): string {
  const place = { item_id: 'msg_00010', output_index: 0, content_index: 0 }
  const obfuscation = PADDING[sequence_number % PADDING.length]
  return frame('response.output_text.delta', { sequence_number, ...place, delta, logprobs: [], obfuscation })
}
