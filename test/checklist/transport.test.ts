import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, createGate } from '../fake-upstream/answer.ts'
import { responseEvents, untilFirstDelta } from '../fake-upstream/event-stream.ts'
import { requestLines } from '../support/log-lines.ts'
import { ROUTES } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { answerWith, failingAnswer } from '../support/upstream-answers.ts'

const TEXT = 'one two three four'
const EVENTS = responseEvents([{ text: TEXT }])
const UNTIL_FIRST_DELTA = untilFirstDelta(EVENTS)

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ args: ['--log-level', 'info'] })
})
afterAll(() => stage.close())

describe.each(ROUTES)('%s', (path, body) => {
  test('case 175, 152: a client that left is logged as 499, with no usage made up, and is no failure', async () => {
    const before = await stage.metrics()
    const gate = createGate()
    gate.release(UNTIL_FIRST_DELTA)
    answerWith(stage.upstream, { events: EVENTS, gate })
    const answer = await stage.stream(path, body)
    await answer.until('one')
    const call = stage.upstream.calls().at(-1)
    answer.leave()
    expect(await call?.aborted).toBeGreaterThan(0)
    await expect.poll(stage.metrics).toMatchObject({
      requests_aborted: (before.requests_aborted ?? 0) + 1,
      requests_error: before.requests_error,
      requests_in_flight: 0,
    })
    const line = () => requestLines(stage.proxy).at(-1)
    await expect.poll(line).toMatchObject({ route: `POST ${path}`, status: 499, model: 'gpt-5.5' })
    expect(line()).not.toHaveProperty('usage')
  })

  test('case 152: the usage of a whole answer is in its line of the log, streamed or not', async () => {
    for (const streamed of [true, false]) {
      answerWith(stage.upstream, { events: EVENTS })
      await (await stage.post(path, { ...body, stream: streamed })).text()
      await expect
        .poll(() => requestLines(stage.proxy).at(-1))
        .toMatchObject({ stream: streamed, usage: { input: 42, cached: 16, output: 12, reasoning: 4 } })
    }
  })

  test('case 153: an answer of another model than was asked for is in the log by both, streamed or not', async () => {
    for (const streamed of [true, false]) {
      for (const [model, servedModel] of [
        ['gpt-5.6-luna', 'gpt-5.6-luna'],
        ['gpt-5.5', undefined],
      ] as const) {
        answerWith(stage.upstream, { events: responseEvents([{ text: TEXT }], { model }) })
        const answer = await stage.post(path, { ...body, stream: streamed })
        await answer.text()
        const id = answer.headers.get('x-codex-proxy-request-id')
        const line = () => requestLines(stage.proxy).find(({ requestId }) => requestId === id)
        await expect.poll(line).toMatchObject({ model: 'gpt-5.5' })
        expect(line()?.servedModel).toBe(servedModel)
      }
    }
  })

  test.each<[string, Answer, object]>([
    ['told', failingAnswer('server_is_overloaded', [{ text: TEXT }]), { status: 503, code: 'server_is_overloaded' }],
    [
      'that is a mere end',
      { events: EVENTS.slice(0, UNTIL_FIRST_DELTA) },
      { status: 502, code: 'upstream_stream_cut' },
    ],
  ])('a failure after the 200, %s, is in the log by the status it would have had', async (_what, failing, noted) => {
    answerWith(stage.upstream, failing)
    const answer = await stage.post(path, { ...body, stream: true })
    await answer.text()
    expect(answer.status).toBe(200)
    const id = answer.headers.get('x-codex-proxy-request-id')
    await expect.poll(() => requestLines(stage.proxy).find(({ requestId }) => requestId === id)).toMatchObject(noted)
  })

  test('case 169: the answer names upstream’s request and ours, the log both', async () => {
    answerWith(stage.upstream, { events: EVENTS })
    const answer = await stage.post(path, body)
    await answer.text()
    expect(answer.headers.get('x-request-id')).toBe('fake-request-0001')
    const own = answer.headers.get('x-codex-proxy-request-id')
    expect(own).toMatch(/^req_[0-9a-f]{32}$/)
    await expect
      .poll(() => requestLines(stage.proxy).find(({ requestId }) => requestId === own))
      .toMatchObject({ upstreamRequestId: 'fake-request-0001' })
  })

  test('case 169: an answer of our own has our id under both names', async () => {
    const answer = await stage.post(path, {})
    expect(answer.status).toBe(400)
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
    expect(answer.headers.get('x-codex-proxy-request-id')).toBe(answer.headers.get('x-request-id'))
  })
})

test.each([true, false])('case 153: the log has the model as the client named it (stream: %s)', async (streamed) => {
  // What a part of a name is taken for is known from the list.
  await stage.send('/v1/models')
  answerWith(stage.upstream, { events: responseEvents([{ text: TEXT }], { model: 'gpt-5.5-2026-01-01' }) })
  const request = { messages: [{ role: 'user', content: 'Hello' }], model: 'openai/gpt-5.5', stream: streamed }
  const answer = await stage.post('/v1/chat/completions', request)
  expect(await answer.text()).toContain('"model":"gpt-5.5-2026-01-01"')
  expect(stage.upstream.calls().at(-1)?.json).toMatchObject({ model: 'gpt-5.5' })
  const id = answer.headers.get('x-codex-proxy-request-id')
  await expect
    .poll(() => requestLines(stage.proxy).find(({ requestId }) => requestId === id))
    .toMatchObject({ model: 'openai/gpt-5.5' })
})
