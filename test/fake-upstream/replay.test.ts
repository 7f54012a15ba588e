import { once } from 'node:events'
import { get, request as httpRequest, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGate } from './answer.ts'
import { responseEvents } from './event-stream.ts'
import { fixtureNames, loadFixture, splitFrames } from './fixtures.ts'
import { type FakeUpstream, startFakeUpstream } from './server.ts'

let upstream: FakeUpstream
beforeEach(async () => {
  upstream = await startFakeUpstream()
})
afterEach(() => upstream.close())

const BODY = { model: 'gpt-5.5', instructions: '', input: [], store: false, stream: true }
const HEADERS = {
  authorization: 'Bearer t',
  'user-agent': 'codex-api-proxy/0.2.0',
  version: '0.169.0',
  'content-type': 'application/json',
}

async function ask(baseUrl = upstream.chatgptBaseUrl, headers: object = HEADERS): Promise<IncomingMessage> {
  const request = httpRequest(`${baseUrl}/responses`, { method: 'POST', headers: { ...headers }, agent: false })
  // An answer that breaks off tells it by itself.
  request.on('error', () => {})
  request.end(JSON.stringify(BODY))
  const [response] = await once(request, 'response')
  return response
}

/** Each piece as the HTTP parser hands it over, and the code of what broke off the answer. */
async function read(response: IncomingMessage): Promise<{ pieces: Buffer[]; failure: string | undefined }> {
  const pieces: Buffer[] = []
  response.on('data', (piece: Buffer) => pieces.push(piece))
  try {
    await once(response, 'end')
    return { pieces, failure: undefined }
  } catch (error) {
    return { pieces, failure: (error as NodeJS.ErrnoException).code }
  }
}

test('a recorded stream is replayed byte by byte, or as the ChatGPT side would send it today', async () => {
  const name = 'resp-text-no-obfuscation-stream'
  const { body } = loadFixture(name)
  const recorded = body.kind === 'stream' ? body.bytes : Buffer.alloc(0)
  upstream.enqueue({ fixture: name }, { fixture: name })
  const byApi = await ask(upstream.openaiBaseUrl, { authorization: 'Bearer sk-fake' })
  expect(Buffer.concat((await read(byApi)).pieces).equals(recorded)).toBe(true)

  const today = Buffer.concat((await read(await ask())).pieces)
  const [before, after] = [splitFrames(recorded), splitFrames(today)]
  expect(after.slice(0, -1)).toEqual(before.slice(0, -1))
  expect(after.at(-1)?.toString()).toContain('"output":[]')
})

test('every recorded stream is whole after it was split into frames', () => {
  for (const name of fixtureNames()) {
    const { body } = loadFixture(name)
    if (body.kind === 'stream') expect(Buffer.concat(splitFrames(body.bytes)).equals(body.bytes)).toBe(true)
  }
})

test('bytes are cut where the test wants it', async () => {
  const answer = { status: 200, body: 'abcdef' }
  upstream.enqueue({ ...answer, cut: 'every-byte' }, { ...answer, cut: 4 })
  for (const expected of [
    ['a', 'b', 'c', 'd', 'e', 'f'],
    ['abcd', 'ef'],
  ]) {
    expect((await read(await ask())).pieces.map(String)).toEqual(expected)
  }
})

test('a gate lets one event pass at a time', async () => {
  const gate = createGate()
  const events = responseEvents([{ text: 'one two' }])
  upstream.enqueue({ events, gate })
  const response = await ask()
  const seen: string[] = []
  for (const { type } of events) {
    gate.release()
    const [piece] = await once(response, 'data')
    seen.push(String(piece))
    expect(String(piece)).toContain(`event: ${type}\n`)
  }
  expect(seen).toHaveLength(events.length)
})

test('an answer breaks off by a close or a reset after so many bytes, without an end', async () => {
  const body = 'x'.repeat(100)
  upstream.enqueue({ status: 200, body, dropAfter: 40 }, { status: 200, body, resetAfter: 40 })
  for (const _ of ['drop', 'reset']) {
    const { pieces, failure } = await read(await ask())
    expect(failure).toBe('ECONNRESET')
    expect(Buffer.concat(pieces).length).toBe(40)
  }
  expect(upstream.calls().map((call) => call.isAborted())).toEqual([false, false])
})

test('a client that leaves a silent answer is noticed', async () => {
  upstream.enqueue({ events: responseEvents([{ text: 'Hello' }]), stallAfter: 20 })
  const response = await ask()
  await once(response, 'data')
  const call = await upstream.waitForCall()
  expect(call.isAborted()).toBe(false)
  response.destroy()
  expect(await call.aborted).toBeGreaterThan(0)
})

test('a connection is reset before anything, and an answer can stay open after its end or lack a content type', async () => {
  upstream.enqueue({ connection: 'reset' })
  await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' })

  upstream.enqueue({ status: 200, body: 'all', keepOpenAfterEnd: true, noContentType: true })
  const response = await ask()
  const [piece] = await once(response, 'data')
  expect(String(piece)).toBe('all')
  expect(response.headers['content-type']).toBeUndefined()
  expect(response.complete).toBe(false)
  response.destroy()
})

test('a recorded JSON answer becomes a stream on the ChatGPT side, an error keeps its status', async () => {
  upstream.enqueue({ fixture: 'resp-reasoning-summary-json' }, { fixture: 'error-resp-400-context-length-json' })
  const stream = await ask()
  expect(stream.headers['content-type']).toContain('text/event-stream')
  expect(String(Buffer.concat((await read(stream)).pieces))).toContain('event: response.output_item.done')
  const error = await ask()
  expect(error.statusCode).toBe(400)
  expect(String(Buffer.concat((await read(error)).pieces))).toContain('context_length_exceeded')
})

test('a Chat recording on the ChatGPT side is a mistake that shows', async () => {
  const other = await startFakeUpstream()
  other.enqueue({ fixture: 'chat-text-json' })
  const request = httpRequest(`${other.chatgptBaseUrl}/responses`, { method: 'POST', headers: HEADERS })
  request.end(JSON.stringify(BODY))
  await expect(once(request, 'response')).rejects.toThrow()
  await expect(other.close()).rejects.toThrow(/Chat recording/)
})

test('the API side echoes any path with method, query and body bytes', async () => {
  const bytes = Buffer.from([0, 255, 13, 10])
  const answer = await fetch(`${upstream.openaiBaseUrl}/files/x%2Fy?a=1&a=2`, {
    method: 'PUT',
    headers: { authorization: 'Bearer sk-fake' },
    body: bytes,
  })
  expect(await answer.json()).toMatchObject({
    method: 'PUT',
    path: '/v1/files/x%2Fy?a=1&a=2',
    body_base64: bytes.toString('base64'),
  })
  expect(answer.headers.getSetCookie()).toHaveLength(2)
})

test('without an answer of its own, a request with tools gets parallel calls and its results a text', async () => {
  const city = { type: 'string', enum: ['Paris', 'Lima', 'Tokyo'] }
  const tools = [{ type: 'function', name: 'weather', parameters: { type: 'object', properties: { city } } }]
  const send = async (body: object) => {
    const init = { method: 'POST', headers: HEADERS, body: JSON.stringify({ ...BODY, ...body }) }
    return await (await fetch(`${upstream.chatgptBaseUrl}/responses`, init)).text()
  }
  const calls = [...(await send({ tools })).matchAll(/"arguments\.?.*?":"(\{.*?\})"/g)].map(([, text]) => text)
  expect(new Set(calls)).toEqual(new Set(['Paris', 'Lima', 'Tokyo'].map((name) => `{\\"city\\":\\"${name}\\"}`)))
  const input = [
    { type: 'function_call', call_id: 'c', name: 'weather', arguments: '{}' },
    { type: 'function_call_output', call_id: 'c', output: 'rain' },
  ]
  expect(await send({ tools, input })).toContain('"text":"The tools answered: rain."')
})

test('what is not served is not found', async () => {
  const response = await new Promise<IncomingMessage>((resolve) => {
    get(`${upstream.origin}/backend-api/other`, { headers: HEADERS }, resolve)
  })
  response.resume()
  expect(response.statusCode).toBe(404)
})
