import { once } from 'node:events'
import { get, request } from 'node:http'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGate } from '../fake-upstream/answer.ts'
import { fixtureNames, loadFixture } from '../fake-upstream/fixtures.ts'
import { apiKeyAuth } from '../support/auth-files.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ auth: apiKeyAuth('sk-of-the-user') })
})
afterAll(() => stage.close())

const last = () => {
  const call = stage.upstream.calls().at(-1)
  if (call === undefined) throw new Error('Nothing arrived upstream')
  return call
}

test('the request goes upstream byte by byte, with the key of the login instead of the client’s', async () => {
  // Spaces, key order, an unknown field and an escaped letter: all would change if the body were written anew.
  const body =
    '{ "stream": false,  "model":"gpt-4o-mini", "messages":[{"content":"\\u0041","role":"user"}], "new_field": 1.0 }'
  const answer = await stage.send('/v1/chat/completions?trace=1&trace=2', {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      authorization: 'Bearer of-the-client',
      'openai-project': 'proj_1',
    },
    body,
  })
  expect(answer.status).toBe(200)
  expect(last().path).toBe('/v1/chat/completions?trace=1&trace=2')
  expect(last().body.toString()).toBe(body)
  expect(last().headers).toMatchObject({
    authorization: 'Bearer sk-of-the-user',
    'content-type': 'application/json; charset=utf-8',
    'openai-project': 'proj_1',
  })
  expect(last().headers['chatgpt-account-id']).toBeUndefined()
})

test('the answer comes back byte by byte, less cookies and hop-by-hop headers', async () => {
  const body = '{ "any" : "bytes" }\n'
  const headers = {
    'content-type': 'application/json',
    'x-new': 'kept',
    'keep-alive': 'timeout=99',
    'x-request-id': 'req_1',
  }
  stage.upstream.enqueue({ status: 207, headers, body })
  const answer = await stage.send('/v1/responses', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  expect(answer.status).toBe(207)
  expect(await answer.text()).toBe(body)
  expect(answer.headers.get('x-new')).toBe('kept')
  expect(answer.headers.get('openai-organization')).toBe('org-fake')
  expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('9999')
  expect(answer.headers.getSetCookie()).toEqual([])
  expect(answer.headers.get('keep-alive')).not.toBe('timeout=99')
})

test('a recorded chat stream goes through untouched and one by one', async () => {
  const { body } = loadFixture('chat-tool-stream')
  const recorded = body.kind === 'stream' ? body.bytes : Buffer.alloc(0)
  const gate = createGate()
  stage.upstream.enqueue({ fixture: 'chat-tool-stream', gate })
  const received: Buffer[] = []
  const size = () => received.reduce((sum, { length }) => sum + length, 0)
  await new Promise<void>((resolve, reject) => {
    const sent = request(`${stage.proxy.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    sent.on('error', reject)
    sent.on('response', (response) => {
      // The next event is let go only when the last one has arrived.
      gate.release()
      response.on('data', (bytes: Buffer) => {
        received.push(bytes)
        if (size() < recorded.length) gate.release()
      })
      response.on('end', resolve)
    })
    sent.end('{"model":"gpt-4o-mini","stream":true,"messages":[]}')
  })
  expect(Buffer.concat(received).equals(recorded)).toBe(true)
})

const ANSWERS = fixtureNames()
  .map(loadFixture)
  .filter(({ name }) => !name.startsWith('made-'))

test.each(ANSWERS)('$name: the recorded answer comes back byte by byte', async ({ name, api, status, body }) => {
  stage.upstream.enqueue({ fixture: name })
  const answer = await stage.post(api === 'chat' ? '/v1/chat/completions' : '/v1/responses', { model: 'gpt-4o-mini' })
  const recorded = body.kind === 'stream' ? body.bytes : Buffer.from(JSON.stringify(body.json))
  expect(Buffer.from(await answer.arrayBuffer()).equals(recorded)).toBe(true)
  if (status !== undefined) expect(answer.status).toBe(status)
})

test('the official client works with every recorded kind of answer', async () => {
  const messages = [{ role: 'user' as const, content: 'Hello' }]
  const completion = await stage.client.chat.completions.create({ model: 'gpt-4o-mini', messages })
  expect(completion.choices[0]?.message.content).toMatch(/\S/)
  const stream = stage.client.chat.completions.stream({ model: 'gpt-4o-mini', messages })
  expect(await stream.finalContent()).toMatch(/\S/)
  const response = await stage.client.responses.create({ model: 'gpt-4o-mini', input: 'Hello' })
  expect(response.output_text).toMatch(/\S/)
  const models: string[] = []
  for await (const { id } of stage.client.models.list()) models.push(id)
  expect(models).toContain('acme/team/tuned-1')
  expect((await stage.client.models.retrieve('acme/team/tuned-1')).id).toBe('acme/team/tuned-1')
})

test.each([
  ['error-chat-401-json', OpenAI.AuthenticationError, 'invalid_api_key'],
  ['error-chat-404-json', OpenAI.NotFoundError, 'model_not_found'],
  ['error-resp-429-quota-json', OpenAI.RateLimitError, 'insufficient_quota'],
  ['error-chat-400-unsupported-parameter-json', OpenAI.BadRequestError, 'unsupported_parameter'],
])('the recorded error %s reaches the client unchanged', async (fixture, kind, code) => {
  stage.upstream.enqueue({ fixture })
  const asked = stage.client.chat.completions.create({ model: 'x', messages: [{ role: 'user', content: 'x' }] })
  const error = await asked.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(kind)
  const { body } = loadFixture(fixture)
  expect(error).toMatchObject({ code, error: body.kind === 'json' ? body.json.error : undefined })
})

test.each([
  ['GET', '/v1/files?purpose=batch&limit=2'],
  ['DELETE', '/v1/files/file-1'],
  ['POST', '/v1/embeddings'],
  ['PUT', '/v1/new/path/of%2Ftomorrow?x=%20'],
  ['PATCH', '/v1/some/thing'],
  ['GET', '/v1/chat/completions?limit=2'],
  ['DELETE', '/v1/models/ft:gpt-4o-mini:acme'],
  ['PUT', '/v1/models'],
  ['OPTIONS', '/v1/models'],
])('%s %s is forwarded with its method, path, query and body', async (method, path) => {
  const bytes = Buffer.from([0, 1, 254, 255, 13, 10, 34])
  const body = method === 'GET' || method === 'DELETE' ? null : bytes
  const headers = { 'content-type': 'application/octet-stream' }
  const answer = await stage.send(path, body === null ? { method } : { method, headers, body })
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({ method, path, body_base64: (body ?? Buffer.alloc(0)).toString('base64') })
})

test.each([
  ['POST', '/v1/chat/completions', 2],
  ['POST', '/v1/responses?x=1', 2],
  ['DELETE', '/v1/files/file-1', 2],
  ['PATCH', '/v1/some/thing', 1],
  ['PATCH', '/v1/responses', 1],
  ['POST', '/v1/embeddings', 1],
  ['POST', '/v1/embeddings?of=/v1/responses', 1],
  ['POST', '/v1/responses/resp_1/cancel', 1],
])(
  'case 177: %s %s that is answered with 503 is sent %i times: only what harms nobody when done twice',
  async (method, path, times) => {
    const before = stage.upstream.calls().length
    stage.upstream.enqueue({ status: 503, body: '' })
    const headers = { 'content-type': 'application/json' }
    const answer = await stage.send(path, { method, headers, body: '{}' })
    expect(answer.status).toBe(times === 1 ? 503 : 200)
    expect(stage.upstream.calls().length - before).toBe(times)
  },
)

test('HEAD of a path that ChatGPT logins have too is forwarded', async () => {
  expect((await stage.send('/v1/models?limit=1', { method: 'HEAD' })).status).toBe(200)
  expect(last()).toMatchObject({ method: 'HEAD', path: '/v1/models?limit=1' })
})

test('the answer to HEAD keeps the length of what it stands for', async () => {
  stage.upstream.enqueue({ status: 200, headers: { 'content-length': '7' } })
  const answer = await stage.send('/v1/files/x/content', { method: 'HEAD' })
  expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '7'])
})

test('an upload in several parts arrives whole', async () => {
  const content = Buffer.alloc(300_000, 'line\n')
  await stage.client.files.create({ file: await toFile(content, 'data.jsonl'), purpose: 'batch' })
  expect(last().path).toBe('/v1/files')
  expect(last().headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
  expect(last().body.includes(content)).toBe(true)
})

test('bytes that are no text come back unchanged', async () => {
  const audio = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256))
  stage.upstream.enqueue({ status: 200, headers: { 'content-type': 'audio/mpeg' }, body: audio, cut: 1000 })
  const speech = await stage.client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hello' })
  expect(Buffer.from(await speech.arrayBuffer()).equals(audio)).toBe(true)
})

test.each([500, 500_000])('a 304 may tell the length of %d bytes that it does not bring', async (length) => {
  const headers = { etag: '"x"', 'content-length': String(length) }
  stage.upstream.enqueue({ status: 304, headers })
  const answer = await stage.send('/v1/files/x/content', { headers: { 'if-none-match': '"x"' } })
  expect([answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([304, '"x"', ''])
})

test.each([10, 100_000])('bytes of headers come back as they are, before %d bytes', async (length) => {
  const headers = { 'content-disposition': 'filename="caf\u00e9"', 'content-length': String(length) }
  stage.upstream.enqueue({ status: 200, headers, body: Buffer.alloc(length, 'x') })
  const [answer] = await once(get(`${stage.proxy.url}/v1/files/x/content`), 'response')
  // Upstream sends UTF-8, which Node reads as Latin-1.
  expect(answer.headers['content-disposition']).toBe(Buffer.from(headers['content-disposition']).toString('latin1'))
  answer.destroy()
})

test.each([
  ['content-type', ['application/json', 'application/json'], 'application/json'],
  ['connection', ['keep-alive', 'x-of-the-gateway'], 'keep-alive'],
  ['content-encoding', ['identity', 'identity'], 'identity, identity'],
  ['etag', ['"x"', '"x"'], '"x"'],
])('an answer in which gateways have repeated %s comes back', async (name, values, told) => {
  stage.upstream.enqueue({ status: 200, headers: { 'x-of-the-gateway': 'y', [name]: values }, body: '{"a":1}' })
  const [answer] = await once(get(`${stage.proxy.url}/v1/files/x`), 'response')
  expect([answer.statusCode, answer.headers[name]]).toEqual([200, told])
  expect(answer.headers['x-of-the-gateway']).toBe(name === 'connection' ? undefined : 'y')
  answer.destroy()
})

test('a client that leaves ends the forwarded request', async () => {
  stage.upstream.enqueue({ fixture: 'chat-text-usage-stream', stallAfter: 500 })
  const call = stage.upstream.waitForCall(stage.upstream.calls().length + 1)
  const stream = await stage.client.chat.completions.create({
    model: 'gpt-4o-mini',
    stream: true,
    messages: [{ role: 'user', content: 'Hello' }],
  })
  for await (const _ of stream) break
  expect(await (await call).aborted).toBeGreaterThan(0)
})
