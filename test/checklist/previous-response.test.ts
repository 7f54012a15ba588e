import type OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Item, responseEvents, type StreamOptions } from '../fake-upstream/event-stream.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

let count = 0

/** Upstream answers the next request so, with an id of its own, as the real one does. */
function answerNext(items: readonly Item[], options: StreamOptions = {}): string {
  const responseId = `resp_${++count}`
  stage.upstream.enqueue({ events: responseEvents(items, { responseId, ...options }) })
  return responseId
}

const user = (text: string) => ({ role: 'user', content: [{ type: 'input_text', text }] })
const assistant = (text: string) => ({ role: 'assistant', content: [{ type: 'output_text', text }] })
const sent = () => stage.upstream.calls().at(-1)?.json as { input: object[]; [name: string]: unknown }

describe.each([true, false])('case 206: the official client goes on by previous_response_id (stream: %s)', (stream) => {
  type Fields = Omit<Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>, 'stream'>
  async function ask(fields: Fields): Promise<OpenAI.Responses.Response> {
    const body = { model: 'gpt-5.5', ...fields }
    if (!stream) return stage.client.responses.create(body)
    return stage.client.responses.stream(body).finalResponse()
  }

  test('through three turns, each with its own instructions', async () => {
    answerNext([{ reasoning: ['Hm.'] }, { text: 'Hello, I am here.' }])
    const first = await ask({ input: 'Hello', instructions: 'Be brief.' })
    answerNext([{ text: 'Second.' }], { output: 'full' })
    const second = await ask({ input: 'Grüße, 漢字', previous_response_id: first.id })
    answerNext([{ text: 'Third.' }])
    await ask({ input: [{ role: 'user', content: 'And?' }], previous_response_id: second.id, store: false })
    expect(sent().input).toMatchObject([
      user('Hello'),
      { type: 'reasoning', encrypted_content: expect.any(String) },
      assistant('Hello, I am here.'),
      user('Grüße, 漢字'),
      assistant('Second.'),
      user('And?'),
    ])
    expect(sent()).toMatchObject({ instructions: '', store: false })
    expect(sent()).not.toHaveProperty('previous_response_id')
  })

  test('with nothing but the result of a tool', async () => {
    answerNext([{ call: 'weather', arguments: { city: 'Paris' }, callId: 'call_1' }])
    const { id } = await ask({ input: 'Rain?' })
    answerNext([{ text: 'Rain.' }])
    await ask({
      input: [{ type: 'function_call_output', call_id: 'call_1', output: 'rain' }],
      previous_response_id: id,
    })
    expect(sent().input).toMatchObject([
      user('Rain?'),
      { type: 'function_call', call_id: 'call_1', name: 'weather' },
      { type: 'function_call_output', call_id: 'call_1', output: 'rain' },
    ])
  })

  test('with large images before and after', async () => {
    const [before, after] = ['A', 'B'].map((letter) => `data:image/png;base64,${letter.repeat(200_000)}`)
    const showing = (image_url: string | undefined): OpenAI.Responses.ResponseInput => [
      { role: 'user', content: [{ type: 'input_image', image_url: image_url ?? '', detail: 'auto' }] },
    ]
    const keys: unknown[] = []
    let id: string | null = null
    for (const input of [showing(before), showing(after), 'Which is darker?']) {
      answerNext([{ text: 'A picture.' }])
      id = (await ask({ input, previous_response_id: id })).id
      keys.push(sent().prompt_cache_key)
    }
    expect(keys).toEqual(Array(3).fill(expect.stringMatching(/./)))
    expect(new Set(keys).size).toBe(1)
    const shown = sent().input.map((item) => (item as { content?: { image_url?: string }[] }).content?.[0]?.image_url)
    expect(shown).toEqual([before, undefined, after, undefined, undefined])
  })

  test.each([
    ['was asked for with store: false', { store: false }],
    ['is unknown', undefined],
  ])('an answer that %s is not found', async (_, fields) => {
    if (fields !== undefined) answerNext([{ text: 'Hi.' }])
    const id = fields === undefined ? 'resp_unknown' : (await ask({ input: 'Hello', ...fields })).id
    const asked = stage.upstream.calls().length
    const refused = ask({ input: 'Go on.', previous_response_id: id })
    await expect(refused).rejects.toMatchObject({
      status: 400,
      code: 'previous_response_not_found',
      param: 'previous_response_id',
    })
    await expect(refused).rejects.toThrow(/Send the whole conversation/)
    expect(stage.upstream.calls()).toHaveLength(asked)
  })
})

test('nothing is kept of an answer that failed in the middle', async () => {
  const error = { code: 'model_error', message: 'The model failed.' }
  const id = answerNext([{ text: 'Hi.' }], { end: 'failed', error })
  await (await stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hello', stream: true })).text()
  const answer = await stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Go on.', previous_response_id: id })
  expect(answer.status).toBe(400)
})
