import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'

/** An answer while it arrives. */
export type WatchedAnswer = {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  /** Resolves once the text holds this, with all of it; rejects when the answer ends before. */
  until(part: string | RegExp): Promise<string>
  /** Resolves with the whole text. */
  readonly ended: Promise<string>
  /** The client leaves. */
  leave(): void
}

/** `POST` with a JSON body; resolves at the head of the answer. */
export async function watchAnswer(
  origin: string,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<WatchedAnswer> {
  const sent = request(`${origin}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close', ...headers },
  })
  sent.end(JSON.stringify(body))
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.on('error', reject)
  })

  let received = ''
  let ending: string | undefined
  const watchers = new Set<() => void>()
  const look = () => {
    for (const watcher of watchers) watcher()
  }
  answer.setEncoding('utf8').on('data', (text: string) => {
    received += text
    look()
  })
  const ended = new Promise<string>((resolve, reject) => {
    answer.once('close', () => {
      ending = answer.complete ? 'ended' : 'broke off'
      look()
      if (answer.complete) resolve(received)
      else reject(new Error(`The answer broke off:\n${received}`))
    })
  })
  // A test that leaves does not wait for the end.
  ended.catch(() => {})

  return {
    status: answer.statusCode,
    headers: answer.headers,
    ended,
    leave: () => sent.destroy(),
    until: (part) =>
      new Promise((resolve, reject) => {
        const watcher = () => {
          const found = typeof part === 'string' ? received.includes(part) : part.test(received)
          if (!found && ending === undefined) return
          watchers.delete(watcher)
          if (found) resolve(received)
          else reject(new Error(`The answer ${ending} without ${part}:\n${received}`))
        }
        watchers.add(watcher)
        watcher()
      }),
  }
}

/** The JSON of each `data` line; comments and `[DONE]` are none. */
export function framesOf(stream: string): Record<string, unknown>[] {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)))
}

type StreamedChoice = { readonly index: number; readonly delta: Record<string, unknown>; finish_reason: string | null }

/** The choices of a Chat stream, chunk by chunk. */
export function choicesOf(stream: string): StreamedChoice[] {
  return framesOf(stream).flatMap(({ choices }) => (choices ?? []) as StreamedChoice[])
}

/** What a Chat stream says in one field of its deltas, joined; of one choice. */
export function answeredTurn(stream: string, field: 'content' | 'reasoning_content' | 'refusal', choice = 0): string {
  const deltas = choicesOf(stream).filter(({ index }) => index === choice)
  return deltas.map(({ delta }) => String(delta[field] ?? '')).join('')
}
