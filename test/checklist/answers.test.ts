import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, createGate } from '../fake-upstream/answer.ts'
import { type Item, responseEvents } from '../fake-upstream/event-stream.ts'
import type { Json } from '../fake-upstream/refusal.ts'
import { CHAT } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { answerWith, callsDuring } from '../support/upstream-answers.ts'
import { answeredTurn, choicesOf, watchAnswer } from '../support/watched-answer.ts'

const PATH = '/v1/chat/completions'
const CALL: Item = { call: 'look_up', arguments: { city: 'Lima' } }
const COMMENTARY: Item = { text: 'Let me look.', phase: 'commentary' }
const FINAL: Item = { text: 'It rains.', phase: 'final_answer' }

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

/** The message of an answer, once from the stream and once from the completion. */
async function messagesFor(items: readonly Item[], request: object = CHAT): Promise<Json[]> {
  answerWith(stage.upstream, { events: responseEvents(items) })
  const stream = await (await stage.post(PATH, { ...request, stream: true })).text()
  const completion = (await (await stage.post(PATH, request)).json()) as { choices: [{ message: Json }] }
  const { content, reasoning_content } = completion.choices[0].message
  const streamed = {
    content: answeredTurn(stream, 'content'),
    reasoning_content: answeredTurn(stream, 'reasoning_content'),
  }
  return [streamed, { content: content ?? '', reasoning_content: reasoning_content ?? '' }]
}

describe('case 117, 118: a message of the phase commentary', () => {
  const JSON_FORMAT = { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } }
  test.each<[string, readonly Item[], object, Json]>([
    ['before a tool call is content', [COMMENTARY, CALL], CHAT, { content: 'Let me look.', reasoning_content: '' }],
    [
      'before an answer is reasoning',
      [COMMENTARY, FINAL],
      CHAT,
      { content: 'It rains.', reasoning_content: 'Let me look.' },
    ],
    ['that is all there is, is content', [COMMENTARY], CHAT, { content: 'Let me look.', reasoning_content: '' }],
    [
      'is never content where JSON was asked for',
      [COMMENTARY, { text: '{"rain":true}', phase: 'final_answer' }],
      { ...CHAT, response_format: JSON_FORMAT },
      { content: '{"rain":true}', reasoning_content: 'Let me look.' },
    ],
  ])('%s', async (_what, items, request, expected) => {
    expect(await messagesFor(items, request)).toEqual([expected, expected])
  })

  test('case 119: is held until its fate is known, and then told before what decided it', async () => {
    const events = responseEvents([COMMENTARY, { reasoning: ['A thought.'] }, CALL])
    const opens = events.findIndex(({ item }) => (item as Json | undefined)?.type === 'function_call')
    const gate = createGate()
    gate.release(opens)
    answerWith(stage.upstream, { events, gate })
    const answer = await watchAnswer(stage.proxy.url, PATH, { ...CHAT, stream: true })
    // What was not held would have come before the thought behind it.
    const before = await answer.until('thought')
    expect([answeredTurn(before, 'content'), answeredTurn(before, 'reasoning_content')]).toEqual(['', 'A thought.'])
    gate.release()
    const text = await answer.until('look_up')
    expect(text).toMatch(/Let me look\..*look_up/s)
    expect(answeredTurn(text, 'content')).toBe('Let me look.')
    gate.open()
    expect(choicesOf(await answer.ended).at(-1)?.finish_reason).toBe('tool_calls')
  })
})

test('case 141: the official client keeps both of two generated images, streamed and not', async () => {
  const image = (result: string): Item => ({ raw: { type: 'image_generation_call', status: 'completed', result } })
  answerWith(stage.upstream, { events: responseEvents([image('b25l'), { text: 'Both.' }, image('dHdv')]) })
  const request = { model: 'gpt-5.5', messages: [{ role: 'user' as const, content: 'Draw two.' }] }
  const [streamed, whole] = [
    await stage.client.chat.completions.stream(request).finalChatCompletion(),
    await stage.client.chat.completions.create(request),
  ]
  const images = ['b25l', 'dHdv'].map((data) => ({ image_url: { url: `data:image/png;base64,${data}` } }))
  for (const { choices } of [streamed, whole])
    expect(choices).toMatchObject([{ message: { content: 'Both.', images } }])
})

describe('case 161: a usage limit', () => {
  const IN_SECONDS = 3 * 3600 + 51 * 60 + 12
  const limit = { type: 'usage_limit_reached', message: 'The usage limit has been reached', plan_type: 'plus' }
  const CODE = { code: 'usage_limit_reached', message: limit.message }
  const TOLD: readonly (readonly [string, Answer])[] = [
    ['its body', { status: 429, body: { error: { ...limit, resets_in_seconds: IN_SECONDS } } }],
    [
      'the headers of the exhausted window',
      {
        status: 429,
        headers: { 'x-codex-primary-used-percent': '100', 'x-codex-primary-reset-after-seconds': String(IN_SECONDS) },
        body: { error: limit },
      },
    ],
    [
      'an event within a 200',
      {
        events: [
          ...responseEvents([], { end: 'none' }),
          { type: 'error', status: 429, error: { ...limit, resets_in_seconds: IN_SECONDS } },
          ...responseEvents([], { end: 'failed', error: CODE }).slice(-1),
        ],
      },
    ],
  ]

  test.each(TOLD)('told by %s is a 429 that says when to come back, and is final', async (_where, answer) => {
    for (const stream of [true, false]) {
      answerWith(stage.upstream, answer)
      const [response, calls] = await callsDuring(stage.upstream, () => stage.post(PATH, { ...CHAT, stream }))
      expect([response.status, calls]).toEqual([429, 1])
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'retry-after': String(IN_SECONDS),
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '3h51m12s',
        'x-should-retry': 'false',
      })
      expect(await response.json()).toMatchObject({
        error: {
          code: 'usage_limit_reached',
          // No unpaid bill: OpenClaw would take `insufficient_quota` for one, and Codex knows a limit by this type alone.
          type: 'usage_limit_reached',
          message: 'The usage limit has been reached. It resets in 3h51m12s.',
        },
      })
    }
  })
})
