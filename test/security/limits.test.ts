import { brotliCompressSync, gzipSync } from 'node:zlib'
import OpenAI from 'openai'
import { afterEach, expect, test } from 'vitest'
import { createGate } from '../fake-upstream/answer.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { requestLines } from '../support/log-lines.ts'
import { CHAT } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { everything, firstAnswer, openConnection, sendRaw } from './raw-connection.ts'

const MB = 1024 * 1024

let stage: Stage

afterEach(async () => {
  await stage.close()
})

async function expectStillServing(): Promise<void> {
  expect((await stage.post('/v1/chat/completions', CHAT)).status).toBe(200)
}

test('a body beyond the limit is answered 413, also to the official client', async () => {
  stage = await startStage({ args: ['--max-body', '1MB'] })
  const client = new OpenAI({ baseURL: `${stage.proxy.url}/v1`, apiKey: 'unused', maxRetries: 0 })
  const content = 'a'.repeat(30 * MB)
  const request = client.chat.completions.create({ model: 'gpt-5.5', messages: [{ role: 'user', content }] })
  await expect(request).rejects.toMatchObject({ status: 413, code: 'request_too_large' })
  expect(stage.upstream.calls()).toEqual([])
  await expectStillServing()
})

test.each([
  ['gzip', gzipSync(Buffer.alloc(200 * MB))],
  ['br', brotliCompressSync(Buffer.alloc(200 * MB))],
  ['gzip, gzip', gzipSync(gzipSync(Buffer.alloc(200 * MB)))],
])('a %s bomb is answered 413 before it has expanded', async (encoding, body) => {
  stage = await startStage({ args: ['--max-decoded-body', '1MB'] })
  const headers = { 'content-type': 'application/json', 'content-encoding': encoding }
  const answer = await stage.send('/v1/chat/completions', { method: 'POST', body, headers })
  expect(answer.status).toBe(413)
  await expectStillServing()
})

test.each(['/v1/chat/completions', '/v1/responses', '/v1/images/generations'])(
  'a body of very many small values to %s is answered 413',
  async (path) => {
    stage = await startStage()
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const body = gzipSync(`[${'[],'.repeat(16 * MB)}`)
    const answer = await stage.send(path, { method: 'POST', body, headers })
    expect([answer.status, await answer.json()]).toMatchObject([413, { error: { code: 'too_many_values' } }])
    await expectStillServing()
  },
)

test('a small zstd body made to take minutes is refused at once', async () => {
  stage = await startStage()
  const headers = { 'content-type': 'application/json', 'content-encoding': 'zstd' }
  const answer = await stage.send('/v1/chat/completions', { method: 'POST', body: endlessMatches(), headers })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ error: { code: 'invalid_body' } })
  await expectStillServing()
})

test('a small body that names a large item of an earlier answer again and again is answered 413', async () => {
  stage = await startStage({ args: ['--max-decoded-body', '1MB'] })
  stage.upstream.enqueue({ events: responseEvents([{ text: 'a'.repeat(300_000) }]) })
  const first = await stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hello' })
  const { output } = (await first.json()) as { output: { id: string }[] }
  const naming = (times: number) => Array.from({ length: times }, () => ({ type: 'item_reference', id: output[0]?.id }))
  expect((await stage.post('/v1/responses', { model: 'gpt-5.5', input: naming(3) })).status).toBe(200)
  const answer = await stage.post('/v1/responses', { model: 'gpt-5.5', input: naming(10_000) })
  expect([answer.status, await answer.json()]).toMatchObject([413, { error: { code: 'request_too_large' } }])
  expect(stage.upstream.calls()).toHaveLength(2)
  await expectStillServing()
})

/** One block of 33,000 sequences, each of which copies 131 KB (RFC 8878 §3.1.1.3.2). */
function endlessMatches(): Buffer {
  const literals = [1 << 3, 65]
  const sequences = [255, 0x68, 0x01, 0b01010100, 0, 2, 52]
  const bits = Buffer.alloc(Math.ceil((33_000 * 18 + 1) / 8), 0xff)
  const block = Buffer.concat([Buffer.from([...literals, ...sequences]), bits])
  const header = Buffer.alloc(3)
  header.writeUIntLE((block.length << 3) | (2 << 1) | 1, 0, 3)
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3]), header, block])
}

test.each([
  ['length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
  ['two lengths', 'Content-Length: 5\r\nContent-Length: 6'],
  ['chunks that are not last', 'Transfer-Encoding: chunked, gzip'],
  ['a space before the colon', 'Content-Length : 5'],
  ['a length with a sign', 'Content-Length: +5'],
  ['a header folded over lines', 'X: a\r\n Content-Length: 5'],
])('two ways to read a request (%s) are one too many', async (_what, headers) => {
  stage = await startStage()
  await stage.upstream.waitForLookUp()
  const body = '0\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const start = 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json'
  const text = await sendRaw(stage.proxy.url, `${start}\r\n${headers}\r\n\r\n${body}`)
  expect(firstAnswer(text).status).toBe(400)
  expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  expect(stage.upstream.requests).toHaveLength(1)
  await expectStillServing()
})

test('headers beyond the limit are answered 431', async () => {
  stage = await startStage({ args: ['--max-headers', '8k'] })
  const answer = firstAnswer(
    await sendRaw(stage.proxy.url, `GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`),
  )
  expect(answer.status).toBe(431)
  expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'headers_too_large' } })
  await expectStillServing()
})

test.each([
  ['headers', 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n'],
  [
    'a body',
    'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
  ],
])('a client that drips %s is answered 408', async (_what, start) => {
  stage = await startStage({ args: ['--request-timeout', '1s'] })
  const socket = await openConnection(stage.proxy.url)
  socket.write(start)
  const dripping = setInterval(() => socket.write('x'), 100)
  const answer = firstAnswer(await everything(socket))
  clearInterval(dripping)
  expect(answer.status).toBe(408)
  expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'request_timeout' } })
  await expectStillServing()
})

test('a request that is refused while its body comes counts as refused, not as a client that left', async () => {
  stage = await startStage({ args: ['--log-level', 'info'] })
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
  const answer = firstAnswer(await sendRaw(stage.proxy.url, `${head}Transfer-Encoding: chunked\r\n\r\nno size\r\n`))
  expect(answer.status).toBe(400)
  await expect.poll(() => requestLines(stage.proxy)).toMatchObject([{ status: 400, code: 'invalid_http' }])
  const metrics = await (await stage.send('/metrics')).json()
  expect(metrics).toMatchObject({ requests_error: 1, requests_aborted: 0, errors_by_status: { 400: 1 } })
})

test('requests beyond limit and queue are answered 429 with Retry-After, the rest in turn', async () => {
  stage = await startStage({ args: ['--max-concurrent', '2', '--max-queue', '1'] })
  const gate = createGate()
  stage.upstream.setDefault({ fixture: 'chatgpt-text-stream', gate })
  const running = [stage.post('/v1/chat/completions', CHAT), stage.post('/v1/chat/completions', CHAT)]
  await stage.upstream.waitForCall(2)
  const further = [stage.post('/v1/chat/completions', CHAT), stage.post('/v1/chat/completions', CHAT)]
  // One of them waits, so that the first answer of the two is the refusal of the other.
  const refused = await Promise.race(further)
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(await refused.json()).toMatchObject({ error: { code: 'too_many_requests', type: 'rate_limit_error' } })
  expect(stage.upstream.calls()).toHaveLength(2)
  gate.open()
  const statuses = (await Promise.all([...running, ...further])).map(({ status }) => status)
  expect(statuses.sort()).toEqual([200, 200, 200, 429])
  await expectStillServing()
})

test('a client that leaves the queue gives up its place', async () => {
  stage = await startStage({ args: ['--max-concurrent', '1', '--max-queue', '1'] })
  const gate = createGate()
  stage.upstream.setDefault({ fixture: 'chatgpt-text-stream', gate })
  const running = stage.post('/v1/chat/completions', CHAT)
  await stage.upstream.waitForCall()
  for (let i = 0; i < 5; i++) (await oneInTheQueue()).abort()
  gate.open()
  expect((await running).status).toBe(200)
  await expectStillServing()
})

test('a client that sends ever more requests ahead of an answer is cut off', async () => {
  stage = await startStage()
  const gate = createGate()
  stage.upstream.setDefault({ fixture: 'chatgpt-text-stream', gate })
  const socket = await openConnection(stage.proxy.url)
  const body = JSON.stringify(CHAT)
  const head = `Host: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${body}`)
  await stage.upstream.waitForCall()
  socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1000))
  expect(await everything(socket)).toBe('')
  gate.open()
  await expectStillServing()
})

/**
 * Of two requests one is refused and the other waits: the one to abort. Both are refused as long as the place of an
 * earlier one is still taken.
 */
async function oneInTheQueue(): Promise<AbortController> {
  for (;;) {
    const clients = [new AbortController(), new AbortController()]
    const refusals = clients.map(async (client) => {
      const answer = await stage.send('/v1/models', { signal: client.signal }).catch(() => undefined)
      if (answer === undefined) return undefined
      expect(answer.status).toBe(429)
      return client
    })
    const refused = await Promise.race(refusals)
    const other = clients.find((client) => client !== refused)
    const alsoRefused = refusals.find((_, i) => clients[i] === other)
    const pause = new Promise<'waits'>((resolve) => setTimeout(resolve, 100, 'waits'))
    if (other !== undefined && (await Promise.race([alsoRefused, pause])) === 'waits') return other
  }
}

test.each([true, false])(
  'a client that leaves the end of its answer unread gives its place back (stream: %s)',
  async (stream) => {
    stage = await startStage({ args: ['--slow-client-timeout', '1s', '--max-concurrent', '1', '--max-queue', '1'] })
    // More than the buffers of both sockets hold, and so little that upstream is read to its end at once.
    stage.upstream.setDefault({ events: responseEvents([{ text: 'x'.repeat(20_000_000) }]) })
    const socket = await openConnection(stage.proxy.url)
    socket.pause()
    const body = JSON.stringify({ ...CHAT, stream })
    const head = `Host: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${body}`)
    await stage.upstream.waitForCall()
    stage.upstream.setDefault({ fixture: 'chatgpt-text-stream' })
    // Waits in the queue until the first has been given up.
    await expectStillServing()
    socket.destroy()
  },
)

test('a client that does not read is waited for, then cut off, and upstream with it', async () => {
  stage = await startStage({ args: ['--slow-client-timeout', '1s'] })
  const delta = { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'x'.repeat(8192) }
  const created = { type: 'response.created', response: { id: 'resp_1', created_at: 1, model: 'gpt-5.5' } }
  stage.upstream.setDefault({ events: [created, ...Array.from({ length: 8000 }, () => delta)] })
  const socket = await openConnection(stage.proxy.url)
  socket.pause()
  const body = JSON.stringify({ ...CHAT, stream: true })
  const head = `Host: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${body}`)
  const call = await stage.upstream.waitForCall()
  await call.aborted
  socket.destroy()
  stage.upstream.setDefault({ fixture: 'chatgpt-text-stream' })
  await expectStillServing()
})
