import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGate } from '../fake-upstream/answer.ts'
import { responseEvents, untilFirstDelta } from '../fake-upstream/event-stream.ts'
import { ONLY_AT_ONCE } from '../support/preloads.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
/** Where the program does only what it does at once. */
let hasty: Stage
beforeAll(async () => {
  ;[stage, hasty] = await Promise.all([startStage(), startStage({ env: { NODE_OPTIONS: ONLY_AT_ONCE } })])
})
afterAll(() => Promise.all([stage.close(), hasty.close()]))

const EVENTS = responseEvents([{ text: 'one two three four' }])
/** Created, in progress, item and part opened, and the first delta: then upstream is silent. */
const UNTIL_FIRST_DELTA = untilFirstDelta(EVENTS)
const REQUEST = { model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hello' }] } as const

// In each test upstream keeps silent after a point, so its connection closes only because the client went.

test('case 175: a client that leaves in the middle of a chat stream ends the upstream request', async () => {
  const gate = createGate()
  gate.release(UNTIL_FIRST_DELTA)
  hasty.upstream.enqueue({ events: EVENTS, gate })
  const call = hasty.upstream.waitForCall(hasty.upstream.calls().length + 1)
  const stream = await hasty.client.chat.completions.create({
    ...REQUEST,
    messages: [...REQUEST.messages],
    stream: true,
  })
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) break
  }
  await (await call).aborted
})

test('case 175: a client that leaves before the first event ends the upstream request, streamed or not', async () => {
  for (const stream of [true, false]) {
    hasty.upstream.enqueue({ connection: 'hang' })
    const expected = hasty.upstream.waitForCall(hasty.upstream.calls().length + 1)
    const controller = new AbortController()
    const answer = hasty.client.chat.completions.create(
      { ...REQUEST, messages: [...REQUEST.messages], stream },
      { signal: controller.signal },
    )
    const call = await expected
    expect(call.isAborted()).toBe(false)
    controller.abort()
    await expect(answer).rejects.toBeInstanceOf(OpenAI.APIUserAbortError)
    await call.aborted
  }
})

test('case 175: a client that leaves a Responses stream ends the upstream request', async () => {
  const gate = createGate()
  gate.release(UNTIL_FIRST_DELTA)
  hasty.upstream.enqueue({ events: EVENTS, gate })
  const call = hasty.upstream.waitForCall(hasty.upstream.calls().length + 1)
  const stream = await hasty.client.responses.create({ model: 'gpt-5.5', input: 'Hello', stream: true })
  for await (const event of stream) {
    if (event.type === 'response.output_text.delta') break
  }
  await (await call).aborted
})

test('the server goes on after clients left', async () => {
  const answer = await hasty.client.chat.completions.create({ ...REQUEST, messages: [...REQUEST.messages] })
  expect(answer.choices[0]?.finish_reason).toBe('stop')
})

test.each([true, false])(
  'an upstream that stays open after its last event does not hold the answer open (stream: %s)',
  async (stream) => {
    stage.upstream.enqueue({ events: EVENTS, keepOpenAfterEnd: true }, { events: EVENTS, keepOpenAfterEnd: true })
    const chat = await stage.post('/v1/chat/completions', { ...REQUEST, stream })
    expect(await chat.text()).toContain(stream ? '[DONE]' : '"finish_reason":"stop"')
    const responses = await stage.post('/v1/responses', { model: 'gpt-5.5', input: 'Hello', stream })
    expect(await responses.text()).toContain(stream ? 'response.completed' : '"status":"completed"')
  },
)
