import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

const HELLO = { role: 'user', content: 'Hello' }
const CALL = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }

/** Each body, and the exact place of its fault. */
const CHAT_BODIES: [name: string, body: unknown, param: string | null][] = [
  ['no model', { messages: [HELLO] }, 'model'],
  ['a model that is no text', { model: 7, messages: [HELLO] }, 'model'],
  ['no messages', { model: 'gpt-5.5' }, 'messages'],
  ['messages that are no list', { model: 'gpt-5.5', messages: 'Hello' }, 'messages'],
  ['no message at all', { model: 'gpt-5.5', messages: [] }, 'messages'],
  ['a message that is no object', { model: 'gpt-5.5', messages: [HELLO, 'x'] }, 'messages[1]'],
  ['an unknown role', { model: 'gpt-5.5', messages: [HELLO, { role: 'robot', content: 'x' }] }, 'messages[1].role'],
  ['no role', { model: 'gpt-5.5', messages: [{ content: 'x' }] }, 'messages[0].role'],
  ['no content', { model: 'gpt-5.5', messages: [{ role: 'user' }] }, 'messages[0].content'],
  ['a number as content', { model: 'gpt-5.5', messages: [{ role: 'user', content: 7 }] }, 'messages[0].content'],
  [
    'an unknown part',
    { model: 'gpt-5.5', messages: [HELLO, { role: 'user', content: [{ type: 'video' }] }] },
    'messages[1].content[0].type',
  ],
  [
    'an image without a URL',
    { model: 'gpt-5.5', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
    'messages[0].content[0].image_url.url',
  ],
  [
    'audio',
    { model: 'gpt-5.5', messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] },
    'messages[0].content[0].type',
  ],
  [
    'a tool message without an id',
    { model: 'gpt-5.5', messages: [HELLO, { role: 'assistant', tool_calls: [CALL] }, { role: 'tool', content: 'x' }] },
    'messages[2].tool_call_id',
  ],
  ['tools that are no list', { model: 'gpt-5.5', messages: [HELLO], tools: {} }, 'tools'],
  [
    'a function without a name',
    { model: 'gpt-5.5', messages: [HELLO], tools: [{ type: 'function', function: {} }] },
    'tools[0].function.name',
  ],
  ['a stream that is no switch', { model: 'gpt-5.5', messages: [HELLO], stream: 'yes' }, 'stream'],
  ['too many choices', { model: 'gpt-5.5', messages: [HELLO], n: 99 }, 'n'],
  ['probabilities', { model: 'gpt-5.5', messages: [HELLO], logprobs: true }, 'logprobs'],
  [
    'an unknown response format',
    { model: 'gpt-5.5', messages: [HELLO], response_format: { type: 'xml' } },
    'response_format.type',
  ],
]

async function expectRefused(path: string, body: string, param: string | null): Promise<void> {
  const before = stage.upstream.calls().length
  const headers = { 'content-type': 'application/json' }
  const answer = await stage.send(path, { method: 'POST', headers, body })
  const { error } = (await answer.json()) as { error: { type: string; param: string | null; message: string } }
  expect(answer.headers.get('content-type')).toContain('application/json')
  expect({ status: answer.status, type: error.type, param: error.param }).toEqual({
    status: 400,
    type: 'invalid_request_error',
    param,
  })
  // Where no field is at fault, none is to be corrected.
  expect(error.message).toMatch(param === null ? /(JSON body|the body itself)\.$/ : /\S/)
  expect(stage.upstream.calls().length).toBe(before)
}

test.each(CHAT_BODIES)('a chat with %s is refused at its exact place', async (_name, body, param) => {
  await expectRefused('/v1/chat/completions', JSON.stringify(body), param)
})

test.each(['', '{', '{"model":"gpt-5.5",}', '[]', '"text"', 'null', '7', '{"a":"\u0001"}'])(
  'a body of %j is refused on both routes',
  async (body) => {
    await expectRefused('/v1/chat/completions', body, null)
    await expectRefused('/v1/responses', body, null)
  },
)

test.each([
  ['no model', { input: 'Hello' }, 'model'],
  ['an input that is neither text nor list', { model: 'gpt-5.5', input: 7 }, 'input'],
  ['an item that is no object', { model: 'gpt-5.5', input: ['x'] }, 'input[0]'],
])('a Responses request with %s is refused at its exact place', async (_name, body, param) => {
  await expectRefused('/v1/responses', JSON.stringify(body), param)
})

test('a tool result without its call, and a call without its result, are told as the API tells them', async () => {
  const results = [HELLO, { role: 'tool', tool_call_id: 'call_1', content: 'x' }]
  const open = [HELLO, { role: 'assistant', content: null, tool_calls: [CALL] }, HELLO]
  const before = stage.upstream.calls().length
  for (const messages of [results, open]) {
    const answer = await stage.post('/v1/chat/completions', { model: 'gpt-5.5', messages })
    expect(answer.status).toBe(400)
    expect(JSON.stringify(await answer.json())).toMatch(/tool_calls/)
  }
  expect(stage.upstream.calls().length).toBe(before)
})

test('the server goes on', async () => {
  const answer = await stage.client.chat.completions.create({
    model: 'gpt-5.5',
    messages: [{ role: 'user', content: 'Hello' }],
  })
  expect(answer.choices[0]?.finish_reason).toBe('stop')
})
