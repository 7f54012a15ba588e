import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Answer } from '../fake-upstream/answer.ts'
import { type Item, responseEvents } from '../fake-upstream/event-stream.ts'
import type { Json } from '../fake-upstream/refusal.ts'
import { chatgptAuth, unsignedJwt } from '../support/auth-files.ts'
import { requestLines } from '../support/log-lines.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { answerWith, callsDuring, failingAnswer } from '../support/upstream-answers.ts'
import { answeredTurn, choicesOf } from '../support/watched-answer.ts'

const PATH = '/v1/chat/completions'
const HELLO = { role: 'user', content: 'Hello' }
const TOOLS = [{ type: 'function', function: { name: 'look_up', parameters: { type: 'object', properties: {} } } }]
const ENCRYPTED = 'encrypted-rs_00010'
const CALLING: Answer = {
  events: responseEvents([
    { reasoning: ['I need two cities.'] },
    { call: 'look_up', arguments: { city: 'Lima' }, callId: 'call_a' },
    { call: 'look_up', arguments: { city: 'Oslo' }, callId: 'call_b' },
  ]),
}
const ANSWERING: Answer = { events: responseEvents([{ text: 'Rain in both.' }]) }
const REFUSED: Answer = {
  status: 400,
  body: {
    error: {
      message: 'The encrypted content could not be verified.',
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_encrypted_content',
    },
  },
}
/** What upstream says of an item that it looks for by its id (case 109). */
const NOT_FOUND: Answer = {
  status: 404,
  body: {
    error: {
      message: "Item with id 'rs_00010' not found. Items are not persisted when `store` is set to false.",
      type: 'invalid_request_error',
      param: 'input',
      code: null,
    },
  },
}

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ args: ['--log-level', 'info'] })
})
afterAll(() => stage.close())
beforeEach(() => stage.home.writeAuth(chatgptAuth({ account_id: 'account-one' })))

/** A first turn that ends in tool calls; the message a client replays, without what Chat has no place for. */
async function callingTurn(stream: boolean): Promise<object> {
  answerWith(stage.upstream, CALLING)
  const answer = await stage.post(PATH, { model: 'gpt-5.5', messages: [HELLO], tools: TOOLS, stream })
  const text = await answer.text()
  if (!stream) {
    const { role, content, tool_calls } = JSON.parse(text).choices[0].message
    return { role, content, tool_calls }
  }
  expect(choicesOf(text).at(-1)?.finish_reason).toBe('tool_calls')
  const call = (id: string, city: string) => ({
    id,
    type: 'function',
    function: { name: 'look_up', arguments: JSON.stringify({ city }) },
  })
  return { role: 'assistant', content: null, tool_calls: [call('call_a', 'Lima'), call('call_b', 'Oslo')] }
}

function answeringTurn(calling: object, stream: boolean): Promise<Response> {
  const results = ['call_a', 'call_b'].map((id) => ({ role: 'tool', tool_call_id: id, content: 'rain' }))
  return stage.post(PATH, { model: 'gpt-5.5', messages: [HELLO, calling, ...results], tools: TOOLS, stream })
}

function lastInput(): Json[] {
  const body = stage.upstream.calls().at(-1)?.json as { input: Json[] } | undefined
  return body?.input ?? []
}
const typesOf = (input: readonly Json[]) => input.map(({ type }) => type)
const WITHOUT = ['message', 'function_call', 'function_call', 'function_call_output', 'function_call_output']
describe.each([true, false])('case 106: a tool round trip (stream: %s)', (stream) => {
  test('carries the reasoning back, before the call it led to', async () => {
    const calling = await callingTurn(stream)
    const before = await stage.metrics()
    answerWith(stage.upstream, ANSWERING)
    const [answer, calls] = await callsDuring(stage.upstream, () => answeringTurn(calling, stream))
    const text = await answer.text()
    expect([answer.status, calls]).toEqual([200, 1])
    expect(stream ? answeredTurn(text, 'content') : JSON.parse(text).choices[0].message.content).toBe('Rain in both.')

    expect(typesOf(lastInput())).toEqual(['message', 'reasoning', ...WITHOUT.slice(1)])
    expect(lastInput()[1]).toEqual({
      type: 'reasoning',
      id: 'rs_00010',
      summary: [{ type: 'summary_text', text: 'I need two cities.' }],
      encrypted_content: ENCRYPTED,
    })
    const after = await stage.metrics()
    expect((after.reasoning_recall_hits ?? 0) - (before.reasoning_recall_hits ?? 0)).toBe(1)
  })

  test.each([
    ['with a 400', REFUSED],
    ['with a 404', NOT_FOUND],
    ['within a 200', failingAnswer('invalid_encrypted_content')],
  ])('case 110: goes on without it when upstream refuses it %s, after one try', async (_how, refused) => {
    const calling = await callingTurn(stream)
    answerWith(stage.upstream, refused, ANSWERING)
    const [answer, calls] = await callsDuring(stage.upstream, () => answeringTurn(calling, stream))
    expect(await answer.text()).toContain('Rain')
    expect([answer.status, calls]).toEqual([200, 2])
    expect(typesOf(lastInput())).toEqual(WITHOUT)
  })

  test('case 110: is told the refusal when it stays, after two tries', async () => {
    const calling = await callingTurn(stream)
    answerWith(stage.upstream, REFUSED)
    const [answer, calls] = await callsDuring(stage.upstream, () => answeringTurn(calling, stream))
    expect([answer.status, calls]).toEqual([400, 2])
    expect(await answer.json()).toMatchObject({ error: { code: 'invalid_encrypted_content' } })
  })

  test('never carries it to another account', async () => {
    const calling = await callingTurn(stream)
    const claims = { exp: Math.floor(Date.now() / 1000) + 864_000, of: 'two' }
    await stage.home.writeAuth(chatgptAuth({ account_id: 'account-two', access_token: unsignedJwt(claims) }))
    answerWith(stage.upstream, ANSWERING)
    const answer = await answeringTurn(calling, stream)
    expect(answer.status).toBe(200)
    expect(stage.upstream.calls().at(-1)?.headers['chatgpt-account-id']).toBe('account-two')
    expect(typesOf(lastInput())).toEqual(WITHOUT)
    expect(JSON.stringify(lastInput())).not.toContain(ENCRYPTED)
  })
})

test('case 106: reasoning, text and calls go back in the order in which upstream said them', async () => {
  const said: Item[] = [
    { reasoning: ['Look first.'] },
    { text: 'Let me look.' },
    { reasoning: ['In Lima.'] },
    { call: 'look_up', arguments: { city: 'Lima' }, callId: 'call_a' },
    { call: 'look_up', arguments: { city: 'Oslo' }, callId: 'call_b' },
  ]
  for (const stream of [true, false]) {
    answerWith(stage.upstream, { events: responseEvents(said, { responseId: 'resp_0d01' }) }, ANSWERING)
    const request = { model: 'gpt-5.5', messages: [{ role: 'user' as const, content: 'Hello' }] }
    const { choices } = stream
      ? await stage.client.chat.completions.stream(request).finalChatCompletion()
      : await stage.client.chat.completions.create(request)
    const { content, tool_calls } = choices[0]?.message ?? {}
    await answeringTurn({ role: 'assistant', content, tool_calls }, stream)
    const order = lastInput().slice(1, 6)
    expect(typesOf(order)).toEqual(['reasoning', 'message', 'reasoning', 'function_call', 'function_call'])
    expect(order.map(({ encrypted_content }) => encrypted_content)).toMatchObject({
      0: 'encrypted-rs_0d010',
      2: 'encrypted-rs_0d012',
    })
  }
})

/** A round of a conversation whose calls all have one id. The history grows by the call and its result. */
async function roundOf(messages: object[], name: string, n: number): Promise<Json[]> {
  const [responseId, callId] = [`resp_0e${n}_`, 'call_1']
  const items = [{ reasoning: [`Thought ${n}.`] }, { call: name, arguments: { n, again: true }, callId }]
  answerWith(stage.upstream, { events: responseEvents(items, { responseId }) })
  await (await stage.post(PATH, { model: 'gpt-5.5', messages })).text()
  // Arguments are often parsed by a client and written anew.
  const call = { id: callId, type: 'function', function: { name, arguments: `{ "again": true, "n": ${n} }` } }
  messages.push({ role: 'assistant', content: null, tool_calls: [call] })
  messages.push({ role: 'tool', tool_call_id: callId, content: 'ok' })
  return lastInput()
}
const thoughtsAndCalls = (input: readonly Json[]) =>
  input.flatMap(({ type, encrypted_content, arguments: text }) =>
    type === 'reasoning' ? [encrypted_content] : type === 'function_call' ? [JSON.parse(String(text)).n] : [],
  )

test('case 78, 106, 184: an id used again in a later round leaves the reasoning where it was', async () => {
  const messages: object[] = [HELLO]
  const inputs: Json[][] = []
  for (const n of [1, 2, 3]) inputs.push(await roundOf(messages, 'count', n))
  const last = await roundOf(messages, 'count', 4)
  const encrypted = (n: number) => `encrypted-rs_0e${n}_0`
  expect(thoughtsAndCalls(last)).toEqual([encrypted(1), 1, encrypted(2), 2, encrypted(3), 3])
  for (const input of inputs) expect(last.slice(0, input.length)).toEqual(input)
})

test('case 78, 106: an id used again in another conversation has no part in the reasoning of the first', async () => {
  await roundOf([HELLO], 'count', 1)
  const other: object[] = [HELLO]
  await roundOf(other, 'look_up', 2)
  const call = { id: 'call_1', type: 'function', function: { name: 'look_up', arguments: '{"n":5}' } }
  other.splice(1, 1, { role: 'assistant', content: null, tool_calls: [call] })
  expect(typesOf(await roundOf(other, 'look_up', 3))).toEqual(['message', 'function_call', 'function_call_output'])
})

test('case 110: another 400 is no reason to ask twice', async () => {
  const calling = await callingTurn(false)
  answerWith(stage.upstream, { status: 400, body: { error: { message: 'Bad tools.', code: 'invalid_value' } } })
  const [answer, calls] = await callsDuring(stage.upstream, () => answeringTurn(calling, false))
  expect([answer.status, calls]).toEqual([400, 1])
})

test('case 106: nothing of it is on disk or in the log', async () => {
  const calling = await callingTurn(true)
  answerWith(stage.upstream, ANSWERING)
  const answer = await answeringTurn(calling, true)
  await answer.text()
  const id = answer.headers.get('x-codex-proxy-request-id')
  await expect.poll(() => requestLines(stage.proxy).map(({ requestId }) => requestId)).toContain(id)
  expect(stage.proxy.output()).not.toContain(ENCRYPTED)
  const entries = await readdir(stage.home.path, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  expect(paths).toContain(join(stage.home.codexHome, 'auth.json'))
  for (const path of paths) expect((await readFile(path)).includes(ENCRYPTED), path).toBe(false)
})

describe('case 110: on the Responses route, reasoning that upstream cannot read', () => {
  const ITEMS = [
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Rain?' }] },
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'of another account' },
    { type: 'function_call', call_id: 'call_a', name: 'look_up', arguments: '{}' },
    { type: 'function_call_output', call_id: 'call_a', output: 'rain' },
  ]
  const asked = (input: readonly object[], stream: boolean) =>
    callsDuring(stage.upstream, () => stage.post('/v1/responses', { model: 'gpt-5.5', input, stream }))

  test.each([
    ['with a 400', true, REFUSED],
    ['with a 400', false, REFUSED],
    ['within a 200', true, failingAnswer('invalid_encrypted_content')],
    ['within a 200', false, failingAnswer('invalid_encrypted_content')],
  ])('and refuses %s is left out at the second try (stream: %s)', async (_how, stream, refused) => {
    answerWith(stage.upstream, refused, ANSWERING)
    const [answer, calls] = await asked(ITEMS, stream)
    expect(await answer.text()).toContain('Rain in both.')
    expect([answer.status, calls]).toEqual([200, 2])
    expect(typesOf(lastInput())).toEqual(['message', 'function_call', 'function_call_output'])
  })

  test('is no reason to ask again for what has none, or for another refusal, or in the Lite lane', async () => {
    const lite = { type: 'additional_tools', role: 'developer', tools: TOOLS }
    answerWith(stage.upstream, REFUSED)
    for (const input of [ITEMS.filter(({ type }) => type !== 'reasoning'), [lite, ...ITEMS]]) {
      const [answer, calls] = await asked(input, false)
      expect([answer.status, calls]).toEqual([400, 1])
    }
    answerWith(stage.upstream, { status: 400, body: { error: { message: 'Bad reasoning.', code: 'invalid_value' } } })
    const [answer, calls] = await asked(ITEMS, false)
    expect([answer.status, calls]).toEqual([400, 1])
  })
})

test.each([true, false])(
  'case 111: on the Responses route, a turn that was nothing but thought can go on (stream: %s)',
  async (stream) => {
    const thought = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: ENCRYPTED }
    const input = [HELLO, thought, { role: 'user', content: 'And?' }]
    answerWith(stage.upstream, ANSWERING)
    const [answer, calls] = await callsDuring(stage.upstream, () =>
      stage.post('/v1/responses', { model: 'gpt-5.5', input, stream }),
    )
    expect(await answer.text()).toContain('Rain in both.')
    expect([answer.status, calls]).toEqual([200, 2])
    expect(typesOf(lastInput())).toEqual(['message', 'message'])
  },
)

describe('case 203: reasoning with an id that upstream does not take', () => {
  const long = `rs_${'0'.repeat(413)}`

  test.each([true, false])('goes back without it over a tool round trip of Chat (stream: %s)', async (stream) => {
    const reasoning = { type: 'reasoning', id: long, summary: [], encrypted_content: ENCRYPTED }
    const call = { call: 'look_up', arguments: { city: 'Lima' }, callId: 'call_long' }
    answerWith(stage.upstream, { events: responseEvents([{ raw: reasoning }, call]) }, ANSWERING)
    const messages: object[] = [HELLO]
    await (await stage.post(PATH, { model: 'gpt-5.5', messages, tools: TOOLS, stream })).text()
    const made = { name: 'look_up', arguments: '{"city":"Lima"}' }
    messages.push({ role: 'assistant', tool_calls: [{ id: 'call_long', type: 'function', function: made }] })
    messages.push({ role: 'tool', tool_call_id: 'call_long', content: 'rain' })
    const [answer, calls] = await callsDuring(stage.upstream, () =>
      stage.post(PATH, { model: 'gpt-5.5', messages, tools: TOOLS, stream }),
    )
    expect(await answer.text()).toContain('Rain')
    expect([answer.status, calls]).toEqual([200, 1])
    expect(lastInput()[1]).toEqual({ type: 'reasoning', summary: [], encrypted_content: ENCRYPTED })
  })

  test.each([
    ['too long', long],
    ['of another provider', 'thinking_0'],
  ])('goes up without it on the Responses route: %s', async (_what, id) => {
    const thought = { type: 'reasoning', id, summary: [], encrypted_content: ENCRYPTED }
    const input = [HELLO, thought, { role: 'assistant', content: 'Hi.' }, { role: 'user', content: 'And?' }]
    answerWith(stage.upstream, ANSWERING)
    const [answer, calls] = await callsDuring(stage.upstream, () =>
      stage.post('/v1/responses', { model: 'gpt-5.5', input }),
    )
    expect(await answer.text()).toContain('Rain in both.')
    expect([answer.status, calls]).toEqual([200, 1])
    expect(typesOf(lastInput())).toEqual(['message', 'reasoning', 'message', 'message'])
  })

  test('is left out at the second try, should upstream want one', async () => {
    const message = "Missing required parameter: 'input[1].id'."
    const wanted = {
      status: 400,
      body: { error: { message, code: 'missing_required_parameter', param: 'input[1].id' } },
    }
    const thought = { type: 'reasoning', id: long, summary: [], encrypted_content: ENCRYPTED }
    const input = [HELLO, thought, { role: 'assistant', content: 'Hi.' }, { role: 'user', content: 'And?' }]
    answerWith(stage.upstream, wanted, ANSWERING)
    const answer = await stage.post('/v1/responses', { model: 'gpt-5.5', input })
    expect(await answer.text()).toContain('Rain in both.')
    expect(typesOf(lastInput())).toEqual(['message', 'message', 'message'])
  })

  test('is no reason to ask again when it is another item that has it', async () => {
    const message = "Invalid 'input[2].id': 'search_1'. Expected an ID that begins with 'ws'."
    const thought = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: ENCRYPTED }
    const search = { type: 'web_search_call', id: 'search_1', status: 'completed' }
    answerWith(stage.upstream, { status: 400, body: { error: { message, code: 'invalid_value' } } })
    const input = [HELLO, thought, search, { role: 'assistant', content: 'Hi.' }, { role: 'user', content: 'And?' }]
    const [answer, calls] = await callsDuring(stage.upstream, () =>
      stage.post('/v1/responses', { model: 'gpt-5.5', input }),
    )
    expect([answer.status, calls]).toEqual([400, 1])
  })
})
