import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { announce, exitWithParent, planFromArguments } from './process-life.ts'

// A process of its own: the same conversion as it is usually written, with `fetch`, `JSON.parse` and a write per event.
// No credentials, no limits, no errors, no log. The measure of what a Node proxy costs when nobody looks at its speed.

type ChatRequest = {
  readonly model: string
  readonly messages: readonly { role: string; content: string | readonly Part[] }[]
}
type Part = { readonly type: string; readonly text?: string; readonly image_url?: { readonly url: string } }

const { upstream } = planFromArguments() as { upstream: string } // made by our own starter

const server = createServer((request, response) => {
  serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
})

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  const body = Buffer.concat(pieces)
  const chat = request.url === '/v1/chat/completions'
  const left = new AbortController()
  response.once('close', () => left.abort())
  const answer = await fetch(`${upstream}/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chat ? JSON.stringify(toResponses(JSON.parse(body.toString()))) : body,
    signal: left.signal,
  })
  response.writeHead(answer.status, { 'content-type': 'text/event-stream' })
  if (answer.body === null) response.end()
  else if (chat) await convert(answer.body, response)
  else {
    for await (const bytes of answer.body) response.write(bytes)
    response.end()
  }
}

function toResponses({ model, messages }: ChatRequest): object {
  const [system, ...rest] = messages
  const input = rest.map(({ role, content }) => {
    const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
    const converted = parts.map((part) =>
      part.image_url === undefined
        ? { type: 'input_text', text: part.text }
        : { type: 'input_image', image_url: part.image_url.url },
    )
    return { type: 'message', role, content: converted }
  })
  return { model, instructions: system?.content, input, stream: true, store: false }
}

async function convert(body: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  const decoder = new TextDecoder()
  const head = { id: 'chatcmpl-plain', object: 'chat.completion.chunk', created: 1_795_000_000, model: 'gpt-5.5' }
  const send = (delta: object, finish_reason: string | null = null) =>
    response.write(`data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason }] })}\n\n`)
  let rest = ''
  for await (const bytes of body) {
    const frames = (rest + decoder.decode(bytes, { stream: true })).split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const event = JSON.parse(frame.slice(frame.indexOf('data: ') + 'data: '.length))
      if (event.type === 'response.created') send({ role: 'assistant', content: '' })
      if (event.type === 'response.output_text.delta') send({ content: event.delta })
      if (event.type === 'response.completed') send({}, 'stop')
    }
  }
  response.end('data: [DONE]\n\n')
}

exitWithParent()
server.listen(0, '127.0.0.1', () => announce(server.address()))
