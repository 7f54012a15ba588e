import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHAT } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'

/** `printf '{"model":"gpt-5.5","messages":[{"role":"user","content":"Hello"}]}' | zstd --no-check` */
const ZSTD_CHAT = 'KLUv/QBY7QEAIkQOFaA5YxUaITDZPRnpNwGFwaFvpv9FCI1oayYK3yvhSmpcVrjJN6aq2XAvnmIX0WUTGGAh5zvxUDQLAA=='

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ args: ['--max-body', '64k', '--max-decoded-body', '256k'] })
})
afterAll(() => stage.close())

function send(body: Buffer | string, headers: Record<string, string>, path = '/v1/chat/completions') {
  return stage.send(path, { method: 'POST', body, headers })
}

test.each(['/v1/chat/completions/', '/chat/completions/', '/v1/v1/chat/completions/'])(
  'case 20: a slash at the end of %s does no harm',
  async (path) => {
    expect(await (await stage.post(path, CHAT)).json()).toMatchObject({ object: 'chat.completion' })
  },
)

test.each(['/responses/', '/v1/responses/', '/models/', '/v1/models/'])(
  'case 20: a slash at the end of %s does no harm, nor a query',
  async (path) => {
    const answer = path.includes('models')
      ? await stage.send(`${path}?limit=5`)
      : await stage.post(`${path}?trace=1`, { model: 'gpt-5.5', input: 'Hello' })
    expect(answer.status).toBe(200)
  },
)

test.each([
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'cut \ud83d' }] }],
  ['/v1/responses', { input: 'cut \ud83d' }],
])(
  'a text that a client has cut within an emoji is answered on %s, and so is all that follows it',
  async (path, asked) => {
    const answer = await stage.post(path, { model: 'gpt-5.5', ...asked })
    expect(answer.status).toBe(200)
    expect(stage.upstream.calls().at(-1)?.json).toMatchObject({ input: [{ content: [{ text: 'cut \ufffd' }] }] })
  },
)

const JSON_TYPE = { 'content-type': 'application/json' }

describe('case 21: an encoded body', () => {
  test.each([
    ['zstd', Buffer.from(ZSTD_CHAT, 'base64')],
    ['gzip', gzipSync(JSON.stringify(CHAT))],
    ['br', brotliCompressSync(JSON.stringify(CHAT))],
  ])('of %s is read', async (encoding, body) => {
    const answer = await send(body, { ...JSON_TYPE, 'content-encoding': encoding })
    expect(await answer.json()).toMatchObject({ object: 'chat.completion' })
    expect(stage.upstream.calls().at(-1)?.json).toMatchObject({ input: [{ content: [{ text: 'Hello' }] }] })
  })

  test('that is too large as sent, or once decoded, is a 413 in the shape of OpenAI', async () => {
    const before = stage.upstream.calls().length
    const large = JSON.stringify({ ...CHAT, padding: 'x'.repeat(300_000) })
    for (const answer of [
      await send(large, JSON_TYPE),
      await send(gzipSync(large), { ...JSON_TYPE, 'content-encoding': 'gzip' }),
    ]) {
      expect(answer.status).toBe(413)
      expect(await answer.json()).toEqual({
        error: {
          message: expect.stringMatching(/larger than \d+ bytes/),
          type: 'invalid_request_error',
          param: null,
          code: 'request_too_large',
        },
      })
    }
    expect(stage.upstream.calls().length).toBe(before)
  })

  test('of another encoding is a 415 that names those that would do', async () => {
    const answer = await send('x', { ...JSON_TYPE, 'content-encoding': 'compress' })
    expect(answer.status).toBe(415)
    expect(answer.headers.get('accept-encoding')).toBe('zstd, gzip, deflate, br')
    expect(await answer.json()).toMatchObject({ error: { code: 'unsupported_content_encoding' } })
  })
})

test.each(['application/json; charset=utf-8', 'application/vnd.x+json', 'Application/JSON'])(
  'case 22: %s is JSON, on both routes',
  async (type) => {
    const chat = await send(JSON.stringify(CHAT), { 'content-type': type })
    const responses = await send('{"model":"gpt-5.5","input":"Hello"}', { 'content-type': type }, '/v1/responses')
    expect([chat.status, responses.status]).toEqual([200, 200])
  },
)

test.each(['text/plain', 'application/x-www-form-urlencoded', 'text/json'])(
  'case 22: %s is a 415, on both routes',
  async (type) => {
    for (const path of ['/v1/chat/completions', '/v1/responses']) {
      const answer = await send(JSON.stringify(CHAT), { 'content-type': type }, path)
      expect(answer.status).toBe(415)
      expect(await answer.json()).toMatchObject({ error: { code: 'unsupported_content_type' } })
    }
  },
)

test('an image that upstream cannot read ends no conversation when a tool gave it', async () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/svg+xml;base64,PHN2Zz4=' } }
  const call = { id: 'call_1', type: 'function', function: { name: 'draw', arguments: '{}' } }
  const history = [
    ...CHAT.messages,
    { role: 'assistant', tool_calls: [call] },
    { role: 'tool', tool_call_id: 'call_1', content: [image] },
  ]
  const drawn = await send(JSON.stringify({ ...CHAT, messages: history }), JSON_TYPE)
  expect(drawn.status).toBe(200)
  // A user who sends it can leave it out.
  const messages = [{ role: 'user', content: [image] }]
  const shown = await send(JSON.stringify({ ...CHAT, messages }), JSON_TYPE)
  expect([shown.status, await shown.json()]).toMatchObject([
    400,
    { error: { code: 'invalid_value', param: 'messages' } },
  ])
})
