import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Answer, createGate } from '../fake-upstream/answer.ts'
import { responseEvents, untilFirstDelta } from '../fake-upstream/event-stream.ts'
import { deferred } from '../support/deferred.ts'
import { logLines, requestLines } from '../support/log-lines.ts'
import { ONLY_AT_ONCE } from '../support/preloads.ts'
import { CHAT } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { answerWith, callsDuring, failingAnswer } from '../support/upstream-answers.ts'
import { answeredTurn, choicesOf, framesOf, watchAnswer } from '../support/watched-answer.ts'

const PATH = '/v1/chat/completions'
/** What one upstream answer counts, three times. */
const USAGE_OF_THREE = {
  prompt_tokens: 126,
  completion_tokens: 36,
  total_tokens: 162,
  prompt_tokens_details: { cached_tokens: 48, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 12,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
}

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ args: ['--log-level', 'info'] })
})
afterAll(() => stage.close())

const answer = (text: string, responseId = 'resp_fake0001') => ({ events: responseEvents([{ text }], { responseId }) })
const three = () =>
  answerWith(stage.upstream, answer('first', 'resp_1'), answer('second', 'resp_2'), answer('third', 'resp_3'))

describe('case 12: n = 3', () => {
  test('is three choices of one answer, with their usage summed', async () => {
    three()
    const [response, calls] = await callsDuring(stage.upstream, () => stage.post(PATH, { ...CHAT, n: 3 }))
    const completion = (await response.json()) as { choices: { index: number; message: { content: string } }[] }
    expect(calls).toBe(3)
    expect(completion.choices.map(({ index }) => index)).toEqual([0, 1, 2])
    // Which of the three requests gets which answer is upstream's business.
    expect(completion.choices.map(({ message }) => message.content).sort()).toEqual(['first', 'second', 'third'])
    expect(completion).toMatchObject({ id: expect.stringMatching(/^chatcmpl-/), usage: USAGE_OF_THREE })
  })

  test('streamed is one id, an opening and a finish for each index, and one usage chunk', async () => {
    three()
    const request = { ...CHAT, n: 3, stream: true, stream_options: { include_usage: true } }
    const text = await (await stage.post(PATH, request)).text()
    const chunks = framesOf(text)
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    expect(new Set(chunks.map(({ created }) => created)).size).toBe(1)
    for (const index of [0, 1, 2]) {
      const own = choicesOf(text).filter((choice) => choice.index === index)
      expect(own[0]?.delta).toEqual({ role: 'assistant', content: '', refusal: null })
      expect(own.flatMap(({ finish_reason }) => finish_reason ?? [])).toEqual(['stop'])
      expect(own.at(-1)?.finish_reason).toBe('stop')
    }
    expect([0, 1, 2].map((index) => answeredTurn(text, 'content', index)).sort()).toEqual(['first', 'second', 'third'])
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true)
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: USAGE_OF_THREE })
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(text.match(/\[DONE\]/g)).toHaveLength(1)
  })

  test('streamed without include_usage says nothing of usage', async () => {
    three()
    const text = await (await stage.post(PATH, { ...CHAT, n: 3, stream: true })).text()
    expect(text).not.toContain('usage')
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  test.each([true, false])('of which one fails is an error, and the others are ended (stream: %s)', async (stream) => {
    const gate = createGate()
    const held = { ...answer('held back'), gate }
    answerWith(stage.upstream, held, held, failingAnswer('invalid_prompt'))
    const before = stage.upstream.calls().length
    const response = await stage.post(PATH, { ...CHAT, n: 3, stream })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_prompt' } })
    const calls = stage.upstream.calls().slice(before)
    const aborted = await Promise.all(calls.slice(0, 2).map((call) => call.aborted))
    expect(aborted.every((at) => at > 0)).toBe(true)
    gate.open()
  })

  test('of which one has to be tried again waits for it', async () => {
    answerWith(
      stage.upstream,
      failingAnswer('server_is_overloaded'),
      answer('second'),
      answer('third'),
      answer('again'),
    )
    const watch = () => watchAnswer(stage.proxy.url, PATH, { ...CHAT, n: 3, stream: true })
    const [text, calls] = await callsDuring(stage.upstream, async () => (await watch()).ended)
    expect(calls).toBe(4)
    expect([0, 1, 2].map((index) => answeredTurn(text, 'content', index)).sort()).toEqual(['again', 'second', 'third'])
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  test.each([true, false])(
    'of which one is asked for again waits for it, with all that was asked (stream: %s)',
    async (stream) => {
      answerWith(stage.upstream, { status: 503 }, answer('second'), answer('third'), answer('again'))
      const url = `data:image/png;base64,${'Ab+/'.repeat(50_000)}`
      const content = [{ type: 'image_url', image_url: { url } }]
      const before = stage.upstream.calls().length
      const response = await stage.post(PATH, { ...CHAT, messages: [{ role: 'user', content }], n: 3, stream })
      const text = await response.text()
      const said = stream
        ? [0, 1, 2].map((index) => answeredTurn(text, 'content', index))
        : JSON.parse(text).choices.map((choice: { message: { content: string } }) => choice.message.content)
      expect(said.sort()).toEqual(['again', 'second', 'third'])
      const asked = stage.upstream.calls().slice(before)
      expect(asked.map(({ body }) => body.includes(url))).toEqual([true, true, true, true])
    },
  )

  test('that the client leaves ends all three', async () => {
    const gates = [createGate(), createGate(), createGate()] as const
    const whole = answer('one two three four')
    const held = gates.map((gate) => ({ ...whole, gate }))
    for (const gate of gates) gate.release(untilFirstDelta(whole.events))
    stage.upstream.enqueue(...held)
    const before = stage.upstream.calls().length
    const watched = await watchAnswer(stage.proxy.url, PATH, { ...CHAT, n: 3, stream: true })
    await watched.until(/(?:one[\s\S]*){3}/)
    watched.leave()
    const calls = stage.upstream.calls().slice(before)
    expect(await Promise.all(calls.map((call) => call.aborted))).toHaveLength(3)
    for (const gate of gates) gate.open()
  })
})

test('a choice that is refused after another was begun ends the answer with its error, and is logged as such', async () => {
  const events = responseEvents([{ text: 'one two three' }])
  const gate = createGate()
  gate.release(untilFirstDelta(events))
  const refusal = deferred<Answer>()
  const answers: (Answer | Promise<Answer>)[] = [refusal.promise, { events, gate }]
  stage.upstream.setDefault(() => answers.shift() ?? { status: 500 })
  const answer = await watchAnswer(stage.proxy.url, PATH, { ...CHAT, n: 2, stream: true })
  await answer.until('one')
  refusal.resolve({ status: 400, body: { detail: 'No, says upstream.' } })
  expect(await answer.ended).toMatch(/"error":\{"message":"No, says upstream\.[^\n]*\n\n$/)
  await expect.poll(() => requestLines(stage.proxy).at(-1)).toMatchObject({ status: 400 })
  expect(logLines(stage.proxy).map(({ msg }) => msg)).not.toContain('unexpected failure')
  gate.open()
})

test('case 12: more than eight are refused, and nothing is sent', async () => {
  const [response, calls] = await callsDuring(stage.upstream, () => stage.post(PATH, { ...CHAT, n: 9 }))
  expect([response.status, calls]).toEqual([400, 0])
  expect(await response.json()).toMatchObject({ error: { param: 'n', type: 'invalid_request_error' } })
})

describe('case 13: a stop text that straddles deltas', () => {
  const EVENTS = responseEvents([{ text: 'one two three four' }])
  const THIRD_DELTA = EVENTS.findIndex(({ delta }) => delta === 'three ') + 1
  const STOPPING = { ...CHAT, stop: ['never', 'wo thr'] }

  test('ends the stream before it, and the upstream request', async () => {
    // An answer that has ended by itself leaves upstream a second to close.
    const { upstream, post, close } = await startStage({ env: { NODE_OPTIONS: ONLY_AT_ONCE } })
    onTestFinished(close)
    const gate = createGate()
    gate.release(THIRD_DELTA)
    answerWith(upstream, { events: EVENTS, gate })
    // Upstream sends nothing more: only a proxy that cuts by itself gets to the end.
    const text = await (await post(PATH, { ...STOPPING, stream: true })).text()
    expect(answeredTurn(text, 'content')).toBe('one t')
    expect(choicesOf(text).at(-1)).toMatchObject({ delta: {}, finish_reason: 'stop' })
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    const call = await upstream.waitForCall()
    expect(call.json).not.toHaveProperty('stop')
    await call.aborted
    gate.open()
  })

  test.each([true, false])('is a whole answer also if upstream breaks off behind it (stream: %s)', async (stream) => {
    answerWith(stage.upstream, { events: EVENTS, resetAfter: 2000 })
    const request = stream ? { ...STOPPING, stream, stream_options: { include_usage: true } } : STOPPING
    const response = await stage.post(PATH, request)
    const text = await response.text()
    expect(response.status).toBe(200)
    if (stream) {
      expect(answeredTurn(text, 'content')).toBe('one t')
      expect(framesOf(text).at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 0 } })
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
      expect(text).not.toContain('"error":{')
    } else
      expect(JSON.parse(text)).toMatchObject({ choices: [{ message: { content: 'one t' }, finish_reason: 'stop' }] })
  })

  test.each([true, false])('waits for the usage that must be reported (stream: %s)', async (stream) => {
    answerWith(stage.upstream, { events: EVENTS })
    const request = stream ? { ...STOPPING, stream, stream_options: { include_usage: true } } : STOPPING
    const text = await (await stage.post(PATH, request)).text()
    const usage = { prompt_tokens: 42, completion_tokens: 12, total_tokens: 54 }
    if (stream) {
      expect(answeredTurn(text, 'content')).toBe('one t')
      expect(framesOf(text).at(-1)).toMatchObject({ choices: [], usage })
    } else {
      expect(JSON.parse(text)).toMatchObject({
        choices: [{ message: { content: 'one t' }, finish_reason: 'stop' }],
        usage,
      })
    }
    expect(stage.upstream.calls().at(-1)?.isAborted()).toBe(false)
  })
})
