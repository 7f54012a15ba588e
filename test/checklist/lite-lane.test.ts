import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Answer } from '../fake-upstream/answer.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import type { Json } from '../fake-upstream/refusal.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { answerWith, callsDuring } from '../support/upstream-answers.ts'
import { answeredTurn } from '../support/watched-answer.ts'

const LITE_HEADER = 'x-openai-internal-codex-responses-lite'
const LITE_MODEL = 'gpt-6.1-sol'
const ANSWER: Answer = { events: responseEvents([{ text: 'Hello.' }]) }
const TOOL = { name: 'look_up', parameters: { type: 'object', properties: {} } }
const CHAT = {
  model: LITE_MODEL,
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'high' } }] },
  ],
  tools: [{ type: 'function', function: TOOL }],
}
const OTHER_REFUSAL: Answer = { status: 400, body: { detail: 'Store must be set to false' } }
const ENCRYPTED_REFUSED: Answer = {
  status: 400,
  body: { error: { message: 'It could not be verified.', param: null, code: 'invalid_encrypted_content' } },
}
const RESPONSES = { model: LITE_MODEL, input: 'Hello' }
/** What a Codex of today sends. */
const LITE_BODY = {
  model: LITE_MODEL,
  input: [
    { type: 'additional_tools', id: 'at_1', role: 'developer', tools: [{ type: 'function', strict: false, ...TOOL }] },
    { type: 'message', id: 'msg_1', role: 'developer', content: [{ type: 'input_text', text: 'Be brief.' }] },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] },
  ],
  tool_choice: 'auto',
  parallel_tool_calls: false,
  reasoning: { effort: 'low', context: 'all_turns' },
  include: ['reasoning.encrypted_content'],
  store: false,
  stream: true,
}

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
  // Which lane a model wants is known from the list.
  await stage.send('/v1/models')
})
afterAll(() => stage.close())
beforeEach(() => answerWith(stage.upstream, ANSWER))

const lastCall = () => {
  const call = stage.upstream.calls().at(-1)
  if (call === undefined) throw new Error('Nothing arrived upstream')
  return { headers: call.headers, body: call.json as Json }
}

test('case 188, 189: a body of the Lite lane passes untouched, with the header that goes with it', async () => {
  await (await stage.post('/v1/responses', LITE_BODY)).text()
  expect(lastCall().body).toEqual(LITE_BODY)
  expect(lastCall().headers[LITE_HEADER]).toBe('true')
})

test('case 188, 187: the header is never taken over from a client', async () => {
  for (const [path, body] of [
    ['/v1/responses', RESPONSES],
    ['/v1/chat/completions', CHAT],
  ] as const) {
    const headers = { 'content-type': 'application/json', [LITE_HEADER]: 'true' }
    await (await stage.send(path, { method: 'POST', headers, body: JSON.stringify(body) })).text()
    expect(lastCall().headers[LITE_HEADER]).toBeUndefined()
  }
})

test('case 192: the full lane is the first choice, also for a model that wants Lite', async () => {
  const [answer, calls] = await callsDuring(stage.upstream, () => stage.post('/v1/chat/completions', CHAT))
  expect([answer.status, calls]).toEqual([200, 1])
  expect(lastCall().body).toMatchObject({ instructions: 'Be brief.', tools: [{ type: 'function', name: 'look_up' }] })
})

describe.each([
  ['an unknown path', { status: 404, body: { detail: 'Not Found' } }],
  ['an unknown model', { status: 404, body: { detail: `The model '${LITE_MODEL}' does not exist.` } }],
] satisfies [string, Answer][])('where the full lane answers 404 for %s', (_what, refusal) => {
  beforeEach(() => answerWith(stage.upstream, refusal, ANSWER))

  test.each([true, false])('case 190, 192: the Lite lane is tried, once (stream: %s)', async (stream) => {
    const request = { ...CHAT, stream, parallel_tool_calls: true }
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post('/v1/chat/completions', request))
    const text = await answer.text()
    expect([answer.status, calls]).toEqual([200, 2])
    expect(stream ? answeredTurn(text, 'content') : JSON.parse(text).choices[0].message.content).toBe('Hello.')

    const { headers, body } = lastCall()
    expect(headers[LITE_HEADER]).toBe('true')
    expect(body).not.toHaveProperty('tools')
    expect(body).not.toHaveProperty('instructions')
    expect(body).toMatchObject({ parallel_tool_calls: false, reasoning: { context: 'all_turns' } })
    expect(body.input).toEqual([
      { type: 'additional_tools', id: expect.any(String), role: 'developer', tools: [expect.objectContaining(TOOL)] },
      {
        type: 'message',
        id: expect.any(String),
        role: 'developer',
        content: [{ type: 'input_text', text: 'Be brief.' }],
      },
      { type: 'message', role: 'user', content: [{ type: 'input_image', image_url: 'https://example.com/a.png' }] },
    ])
  })

  test.each([true, false])('case 190, 192: so it is on the Responses route (stream: %s)', async (stream) => {
    const request = { ...RESPONSES, instructions: 'Be brief.', tools: [{ type: 'function', ...TOOL }], stream }
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post('/v1/responses', request))
    expect([answer.status, calls]).toEqual([200, 2])
    expect(await answer.text()).toContain('"text":"Hello."')

    const { headers, body } = lastCall()
    expect(headers[LITE_HEADER]).toBe('true')
    expect(body).not.toHaveProperty('tools')
    expect(body).toMatchObject({
      input: [{ type: 'additional_tools', tools: [TOOL] }, { role: 'developer' }, { role: 'user' }],
    })
  })

  test.each([
    ['/v1/chat/completions', CHAT],
    ['/v1/responses', RESPONSES],
  ])('case 192, 199: a model that answers there stays in the list (%s)', async (path, request) => {
    await stage.post(path, request)
    expect(await (await stage.send('/v1/models')).text()).toContain(`"id":"${LITE_MODEL}"`)
  })

  test('case 189: a body of the Lite lane is refused, and not sent again in another form', async () => {
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post('/v1/responses', LITE_BODY))
    expect([answer.ok, calls]).toEqual([false, 1])
  })

  test('case 192: a model of the full lane gets the 404', async () => {
    const request = { ...CHAT, model: 'gpt-5.5' }
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post('/v1/chat/completions', request))
    expect([answer.status, calls]).toEqual([404, 1])
  })
})

test.each<[string, Answer[], number]>([
  ['of the full lane', [OTHER_REFUSAL], 1],
  ['of reasoning, where there is none', [{ status: 404 }, ENCRYPTED_REFUSED], 2],
])('case 192: another refusal is final: one %s', async (_what, answers, expected) => {
  answerWith(stage.upstream, ...answers, ANSWER)
  const [answer, calls] = await callsDuring(stage.upstream, () => stage.post('/v1/chat/completions', CHAT))
  expect([answer.status, calls]).toEqual([400, expected])
})

test('case 192: with --lite-lane none the Lite lane is not tried', async () => {
  const fullOnly = await startStage({ args: ['--lite-lane', 'none'] })
  try {
    await fullOnly.send('/v1/models')
    answerWith(fullOnly.upstream, { status: 404, body: { detail: 'Not Found' } }, ANSWER)
    const [answer, calls] = await callsDuring(fullOnly.upstream, () => fullOnly.post('/v1/chat/completions', CHAT))
    expect([answer.status, calls]).toEqual([404, 1])
  } finally {
    await fullOnly.close()
  }
})

test('case 191: what the Lite lane has not is refused by upstream, and the client is told', async () => {
  answerWith(stage.upstream, { status: 404, body: { detail: 'Not Found' } })
  const request = { ...CHAT, tools: undefined, web_search_options: {} }
  const [answer, calls] = await callsDuring(stage.upstream, () => stage.post('/v1/chat/completions', request))
  expect([answer.status, calls]).toEqual([400, 2])
  expect(await answer.json()).toMatchObject({
    error: { message: expect.stringContaining('only supports function tools'), param: 'tools' },
  })
})

describe('a history with a call that reasoning led to', () => {
  const NOT_FOUND: Answer = { status: 404, body: { detail: 'Not Found' } }
  const SUMMARY_REFUSED: Answer = {
    status: 400,
    body: { error: { message: "Unsupported parameter: 'reasoning.summary'.", code: 'unsupported_parameter' } },
  }
  const call = { id: 'call_1', type: 'function', function: { name: TOOL.name, arguments: '{}' } }
  const history = [
    ...CHAT.messages,
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'call_1', content: 'found' },
  ]

  /** What upstream was asked meanwhile: the lane, and whether the reasoning was in it. */
  async function asked(...answers: [...Answer[], Answer]): Promise<{ status: number; calls: string[] }> {
    const items = [{ reasoning: ['Hm.'] }, { call: TOOL.name, arguments: {}, callId: 'call_1' }]
    answerWith(stage.upstream, { events: responseEvents(items) })
    await stage.post('/v1/chat/completions', CHAT)
    const before = stage.upstream.calls().length
    answerWith(stage.upstream, ...answers)
    const { status } = await stage.post('/v1/chat/completions', { ...CHAT, messages: history })
    const calls = stage.upstream.calls().slice(before)
    return {
      status,
      calls: calls.map(({ headers, json }) => {
        const lane = headers[LITE_HEADER] === undefined ? 'full' : 'lite'
        const types = (json as { input: Json[] }).input.map(({ type }) => type)
        const at = types.indexOf('reasoning')
        if (at !== -1) expect(types[at + 1]).toBe('function_call')
        return at === -1 ? `${lane}, plain` : lane
      }),
    }
  }

  /** Of the items that are sent on the Lite lane: tools, prompt, the message, the reasoning, the call, its result. */
  const idRefused = (index: number): Answer => ({
    status: 400,
    body: { error: { message: `Invalid 'input[${index}].id': 'x'.`, code: 'invalid_value' } },
  })

  test.each<[string, [...Answer[], Answer], number, string[]]>([
    ['keeps the reasoning that nobody refused', [NOT_FOUND, ANSWER], 200, ['full', 'lite']],
    [
      'loses the reasoning when the Lite lane refuses it',
      [NOT_FOUND, ENCRYPTED_REFUSED, ANSWER],
      200,
      ['full', 'lite', 'lite, plain'],
    ],
    ['loses it when its id is refused there', [NOT_FOUND, idRefused(3), ANSWER], 200, ['full', 'lite', 'lite, plain']],
    ['keeps it when the id of another item is refused', [NOT_FOUND, idRefused(2)], 400, ['full', 'lite']],
    ['is not asked there when the full lane refuses the id of another item', [idRefused(3)], 400, ['full']],
    [
      'has no reasoning in the Lite lane that the full lane has refused',
      [ENCRYPTED_REFUSED, NOT_FOUND, ANSWER],
      200,
      ['full', 'full, plain', 'lite, plain'],
    ],
    [
      'has none of it there either when a summary was refused in between',
      [ENCRYPTED_REFUSED, SUMMARY_REFUSED, NOT_FOUND, ANSWER],
      200,
      ['full', 'full, plain', 'full, plain', 'lite, plain'],
    ],
    ['is not tried on the Lite lane when the full lane has it', [ENCRYPTED_REFUSED], 400, ['full', 'full, plain']],
    ['is tried on either lane once when neither has it', [NOT_FOUND], 404, ['full', 'lite']],
  ])('case 106, 110, 192: %s', async (_what, answers, status, calls) => {
    expect(await asked(...answers)).toEqual({ status, calls })
  })
})
