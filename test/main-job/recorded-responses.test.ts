import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fixtureNames, loadFixture } from '../fake-upstream/fixtures.ts'
import type { Json } from '../fake-upstream/refusal.ts'
import { CHAT, RESPONSES } from '../support/questions.ts'
import { recordedBody, recordedEvents } from '../support/recorded.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

const RECORDED = fixtureNames()
  .map(loadFixture)
  .filter(({ name, api }) => api === 'responses' && !name.startsWith('made-') && !name.startsWith('error-'))
const STREAMS = RECORDED.filter(({ name, body }) => body.kind === 'stream' && name !== 'resp-failed-quota-stream')
const OBJECTS = RECORDED.filter(({ body }) => body.kind === 'json')

const responseOf = (event: Json | undefined) => event?.response as Json

async function streamed(): Promise<Json[]> {
  const text = await (await stage.post('/v1/responses', { ...RESPONSES, stream: true })).text()
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data))
}

async function whole(): Promise<Json> {
  return (await (await stage.post('/v1/responses', RESPONSES)).json()) as Json
}

test.each(STREAMS)('$name: /v1/responses streams it as recorded and gives the same as one object', async ({ name }) => {
  stage.upstream.setDefault({ fixture: name })
  const recorded = recordedEvents(name)
  const output = recorded.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item)
  // As JSON is written: a recorded -0 is 0 then.
  const last = JSON.parse(JSON.stringify({ ...responseOf(recorded.at(-1)), output }))

  const events = await streamed()
  expect(events.slice(0, -1)).toEqual(recorded.slice(0, -1))
  expect(events.at(-1)).toEqual({ ...recorded.at(-1), response: last })
  expect(await whole()).toEqual(last)
})

describe.each(OBJECTS)('$name, recorded as one object', ({ name }) => {
  const recorded = recordedBody(name)
  const items = recorded.output as Json[]
  beforeAll(() => stage.upstream.setDefault({ fixture: name }))

  test('/v1/responses gives it as it was, streamed or not', async () => {
    // One of them was stored with a status that it can't have ended with.
    const expected = { ...recorded, status: 'completed' }
    expect(responseOf((await streamed()).at(-1))).toEqual(expected)
    expect(await whole()).toEqual(expected)
  })

  test('a Chat client gets its texts, calls and usage', async () => {
    const { choices, usage } = await stage.client.chat.completions.create(CHAT)
    const message = choices[0]?.message
    const said = JSON.stringify(message)
    for (const text of items.flatMap(textsOf)) expect(said).toContain(JSON.stringify(text).slice(1, -1))
    const called = (message?.tool_calls ?? []).map(({ id }) => id)
    const calls = items.filter(({ type }) => type === 'function_call' || type === 'custom_tool_call')
    expect(called).toEqual(calls.map(({ call_id }) => call_id))
    expect(choices[0]?.finish_reason).toBe(calls.length > 0 ? 'tool_calls' : 'stop')
    expect(usage?.total_tokens).toBe((recorded.usage as Json | undefined)?.total_tokens ?? 0)
  })
})

function textsOf({ content, summary }: Json): unknown[] {
  const parts = [content, summary].flatMap((list) => (Array.isArray(list) ? (list as Json[]) : []))
  return parts.flatMap(({ text }) => (text === undefined ? [] : [text]))
}

test.each([
  ['error-resp-400-context-length-json', 400, 400, 'context_length_exceeded'],
  ['error-resp-400-model-json', 404, 400, 'model_not_found'],
  ['error-resp-400-reasoning-item-json', 400, 400, null],
  ['error-resp-400-schema-json', 400, 400, 'invalid_function_parameters'],
  ['error-resp-429-quota-json', 429, 429, 'insufficient_quota'],
])(
  '%s: the recorded refusal is %i on Chat, %i on Responses, streamed or not',
  async (fixture, chat, responses, code) => {
    stage.upstream.setDefault({ fixture })
    const { message } = recordedBody(fixture).error as { message: string }
    for (const stream of [true, false]) {
      for (const [path, body, status] of [
        ['/v1/chat/completions', CHAT, chat],
        ['/v1/responses', RESPONSES, responses],
      ] as const) {
        const answer = await stage.post(path, { ...body, stream })
        expect(answer.status).toBe(status)
        const { error } = (await answer.json()) as { error: { code: unknown; message: string } }
        expect(error.code).toBe(code)
        expect(error.message).toContain(message)
      }
    }
  },
)
