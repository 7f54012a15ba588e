import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer, Shaping } from './answer.ts'
import { encodeEvents, eventsOfResponse, type StreamEvent } from './event-stream.ts'
import { type Fixture, loadFixture, splitFrames } from './fixtures.ts'
import { breakConnection, type Side } from './recorded-request.ts'

export type OutgoingHeaders = Readonly<Record<string, string | string[]>>

/** Writes an answer to the client. `standing` headers are those the side puts on everything. */
export async function replay(
  answer: Answer,
  side: Side,
  response: ServerResponse,
  standing: OutgoingHeaders,
): Promise<void> {
  if ('connection' in answer) {
    if (answer.connection === 'reset') breakConnection(response, 'reset')
    return
  }
  const { status, headers, frames } = render(answer, side)
  const all: Record<string, string | string[]> = { ...standing, ...headers }
  if (answer.noContentType === true) delete all['content-type']
  response.socket?.setNoDelay(true)
  response.writeHead(status, all)
  response.flushHeaders()
  await writeShaped(frames, answer, response)
}

type Rendered = { readonly status: number; readonly headers: OutgoingHeaders; readonly frames: readonly Buffer[] }

const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8' }
const JSON_TYPE = { 'content-type': 'application/json' }

function render(answer: Exclude<Answer, { connection: string }>, side: Side): Rendered {
  if ('fixture' in answer) {
    const fixture = loadFixture(answer.fixture)
    const { status, headers, frames } = renderFixture(fixture, side)
    return { status, headers: { ...headers, ...answer.headers }, frames }
  }
  if ('events' in answer) {
    return { status: 200, headers: { ...EVENT_STREAM, ...answer.headers }, frames: encodeEvents(answer.events) }
  }
  const { body = '', status, headers } = answer
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    return { status, headers: { ...headers }, frames: [Buffer.from(body)] }
  }
  return { status, headers: { ...JSON_TYPE, ...headers }, frames: [Buffer.from(JSON.stringify(body))] }
}

function renderFixture(fixture: Fixture, side: Side): Rendered {
  if (side === 'chatgpt' && fixture.api === 'chat') {
    throw new Error(`${fixture.name} is a Chat recording, and the ChatGPT backend speaks only Responses`)
  }
  // A quota answer was stored without its status; it came as 429.
  const status = fixture.status ?? (fixture.name.startsWith('error-') ? 429 : 200)
  const { body } = fixture
  if (body.kind === 'stream') {
    const frames = splitFrames(body.bytes)
    return { status, headers: streamHeaders(fixture), frames: side === 'chatgpt' ? frames.map(emptyFrame) : frames }
  }
  if (side === 'chatgpt' && status === 200) {
    const events = eventsOfResponse(body.json).map(withoutOutput)
    return { status, headers: streamHeaders(fixture), frames: encodeEvents(events) }
  }
  return { status, headers: recordedHeaders(fixture), frames: [Buffer.from(JSON.stringify(body.json))] }
}

const streamHeaders = (fixture: Fixture) => ({ ...recordedHeaders(fixture), ...EVENT_STREAM })

/** How bytes travel is this server's own business, not the recording's. */
const NOT_REPLAYED = ['transfer-encoding', 'content-length', 'content-encoding', 'connection', 'keep-alive', 'date']

function recordedHeaders({ headers }: Fixture): OutgoingHeaders {
  const kept = Object.entries(headers).filter(([name]) => !NOT_REPLAYED.includes(name.toLowerCase()))
  return { ...JSON_TYPE, ...Object.fromEntries(kept) }
}

const TERMINAL = ['response.completed', 'response.incomplete']

function withoutOutput(event: StreamEvent): StreamEvent {
  if (!TERMINAL.includes(event.type)) return event
  return { ...event, response: { ...(event.response as object), output: [] } }
}

/** Only the terminal event is written anew; all others keep their recorded bytes. */
function emptyFrame(frame: Buffer): Buffer {
  if (!TERMINAL.some((type) => frame.includes(`"type":"${type}"`) || frame.includes(`event: ${type}`))) return frame
  const [, data = '{}'] = /^data: ?(.*)$/m.exec(frame.toString('utf8')) ?? []
  const [encoded = frame] = encodeEvents([withoutOutput(JSON.parse(data) as StreamEvent)])
  return encoded
}

async function writeShaped(frames: readonly Buffer[], shaping: Shaping, response: ServerResponse): Promise<void> {
  const { gate, delayMs } = shaping
  // Upstream sends each event in an HTTP chunk of its own. Node from 24.22 on would make one of all that is written in a
  // turn of the event loop, so that the framing is made here.
  const chunked = response.chunkedEncoding
  response.chunkedEncoding = false
  for (const piece of shapedPieces(frames, shaping)) {
    await gate?.pass()
    if (delayMs !== undefined) await delay(delayMs)
    if (response.destroyed) return
    if (!response.write(chunked ? httpChunk(piece) : piece)) await drained(response)
  }
  if (shaping.dropAfter !== undefined) return await afterFlush(response, () => breakConnection(response, 'drop'))
  if (shaping.resetAfter !== undefined) return await afterFlush(response, () => breakConnection(response, 'reset'))
  if (shaping.stallAfter === undefined && shaping.keepOpenAfterEnd !== true) {
    response.end(chunked ? '0\r\n\r\n' : '')
  }
}

/** RFC 9112 §7.1; an empty one would be the last. */
function httpChunk(piece: Buffer): Buffer {
  if (piece.length === 0) return piece
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
}

function shapedPieces(frames: readonly Buffer[], shaping: Shaping): readonly Buffer[] {
  const limit = shaping.dropAfter ?? shaping.resetAfter ?? shaping.stallAfter
  if (limit === undefined && shaping.cut === undefined) return frames
  const all = Buffer.concat(frames)
  const bytes = limit === undefined ? all : all.subarray(0, limit)
  const starts = shaping.cut === undefined ? frameStarts(frames) : cutStarts(shaping.cut, bytes.length)
  return starts.filter((start) => start < bytes.length).map((start, index) => bytes.subarray(start, starts[index + 1]))
}

function cutStarts(cut: NonNullable<Shaping['cut']>, length: number): number[] {
  const size = cut === 'every-byte' ? 1 : cut
  return Array.from({ length: Math.ceil(length / size) }, (_, n) => n * size)
}

function frameStarts(frames: readonly Buffer[]): number[] {
  let position = 0
  return frames.map((frame) => {
    position += frame.length
    return position - frame.length
  })
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

/** What was written has to leave before the connection breaks, else it may be lost. */
async function afterFlush(response: ServerResponse, then: () => void): Promise<void> {
  await new Promise<void>((resolve) => response.write('', () => resolve()))
  then()
}
