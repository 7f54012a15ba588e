import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { decompress } from 'fzstd'

export type Side = 'chatgpt' | 'openai'

/** A request as it reached the fake upstream. */
export type RecordedRequest = {
  readonly side: Side
  readonly method: string
  /** With its query, as it was sent. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The body's bytes as they were sent. */
  readonly body: Buffer
  /** The body decoded and parsed; undefined when it is no JSON. */
  readonly json: unknown
  /** Resolves (with `performance.now()`) when the client goes before the answer has ended. */
  readonly aborted: Promise<number>
  isAborted(): boolean
}

/** Reads the whole request; undefined when the client leaves before it has sent all. */
export async function recordRequest(
  side: Side,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<RecordedRequest | undefined> {
  const pieces: Buffer[] = []
  request.on('data', (bytes: Buffer) => pieces.push(bytes))
  try {
    await once(request, 'end')
  } catch {
    return undefined
  }
  const body = Buffer.concat(pieces)
  let abortedAt: number | undefined
  const aborted = new Promise<number>((resolve) => {
    response.once('close', () => {
      if (response.writableEnded || endedByUs.has(response)) return
      abortedAt = performance.now()
      resolve(abortedAt)
    })
  })
  return {
    side,
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body,
    json: parseJson(body, request.headers['content-encoding']),
    aborted,
    isAborted: () => abortedAt !== undefined,
  }
}

/** Answers whose connection the fake upstream itself breaks: their closing is no abort by the client. */
const endedByUs = new WeakSet<ServerResponse>()

export function breakConnection(response: ServerResponse, how: 'drop' | 'reset'): void {
  endedByUs.add(response)
  if (how === 'reset') response.socket?.resetAndDestroy()
  else response.socket?.end()
}

function parseJson(body: Buffer, encoding: string | undefined): unknown {
  try {
    return JSON.parse(decode(body, encoding).toString('utf8'))
  } catch {
    return undefined
  }
}

function decode(body: Buffer, encoding: string | undefined): Buffer {
  if (encoding === 'zstd') return Buffer.from(decompress(body))
  return encoding === 'gzip' ? gunzipSync(body) : body
}
