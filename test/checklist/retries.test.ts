import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGate } from '../fake-upstream/answer.ts'
import { type Item, responseEvents } from '../fake-upstream/event-stream.ts'
import { ROUTES } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { answerWith, callsDuring, failingAnswer } from '../support/upstream-answers.ts'
import { framesOf } from '../support/watched-answer.ts'

const EVENTS = responseEvents([{ text: 'one two three four' }])

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ args: ['--header-timeout', '2s'] })
})
afterAll(() => stage.close())

describe.each(ROUTES)('%s', (path, body) => {
  test('case 164: an answer that fails before anything is visible keeps its status', async () => {
    answerWith(stage.upstream, failingAnswer('invalid_prompt'))
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.stream(path, body))
    expect([answer.status, calls]).toEqual([400, 1])
    expect(JSON.parse(await answer.ended)).toMatchObject({ error: { code: 'invalid_prompt' } })
  })

  test('case 164: it keeps it also where the answer was announced a while before', async () => {
    const gate = createGate()
    gate.release()
    answerWith(stage.upstream, { ...failingAnswer('invalid_prompt'), gate })
    const before = stage.upstream.calls().length
    const answer = stage.stream(path, body)
    await expect.poll(() => stage.upstream.calls()).toHaveLength(before + 1)
    // By the time that others have had theirs the announcement has come too.
    for (let other = 0; other < 20; other++) await stage.metrics()
    gate.open()
    expect((await answer).status).toBe(400)
  })

  test.each([true, false])('case 161: a limit told within a 200 says when it ends (stream: %s)', async (streamed) => {
    const headers = { 'x-codex-primary-used-percent': '100', 'x-codex-primary-reset-after-seconds': '60' }
    answerWith(stage.upstream, { ...failingAnswer('usage_limit_reached'), headers })
    const answer = await stage.post(path, { ...body, stream: streamed })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '60'])
    expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('0')
  })

  test.each(['server_is_overloaded', 'overloaded_error', 'slow_down', 'rate_limit_exceeded', 'server_error'])(
    'case 177, 162: %s within a 200 is tried again while nothing is visible',
    async (code) => {
      const before = await stage.metrics()
      answerWith(stage.upstream, failingAnswer(code), failingAnswer(code), { events: EVENTS })
      const [text, calls] = await callsDuring(stage.upstream, async () => (await stage.stream(path, body)).ended)
      expect(text).toContain('one')
      expect(text).not.toContain('"error":{')
      expect(framesOf(text).filter(({ type }) => type === 'response.created').length).toBeLessThanOrEqual(1)
      expect(calls).toBe(3)
      expect((await stage.metrics()).upstream_retries).toBe((before.upstream_retries ?? 0) + 2)
    },
  )

  test('case 177, 162: a failure of upstream without a code is tried again too, as it asks for', async () => {
    const message = 'Unable to verify model access right now. Please retry.'
    const error = { type: 'service_unavailable_error', code: null, message, param: null }
    const failed = [...responseEvents([], { end: 'none' }), { type: 'error', error, sequence_number: 2 }]
    answerWith(stage.upstream, { events: failed }, { events: EVENTS })
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post(path, body))
    expect([answer.status, calls]).toEqual([200, 2])
  })

  test('case 177, 162: an answer in one piece is tried again too, unless something had come of it', async () => {
    answerWith(stage.upstream, failingAnswer('server_is_overloaded'), { events: EVENTS })
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post(path, body))
    expect([answer.status, calls]).toEqual([200, 2])
    answerWith(stage.upstream, failingAnswer('server_is_overloaded', [{ text: 'one' }]), { events: EVENTS })
    const [second, secondCalls] = await callsDuring(stage.upstream, () => stage.post(path, body))
    expect([second.status, secondCalls]).toEqual([503, 1])
  })

  test('case 177, 162: overload that stays is a 503 after a few tries', async () => {
    answerWith(stage.upstream, failingAnswer('server_is_overloaded'))
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.stream(path, body))
    expect(answer.status).toBe(503)
    expect(JSON.parse(await answer.ended)).toMatchObject({ error: { code: 'server_is_overloaded' } })
    expect(calls).toBe(3)
  })

  test('case 162: a limit that ends in a moment is waited for, a longer one is told at once', async () => {
    const limited = (wait: string) => failingAnswer('rate_limit_exceeded', [], `Please try again in ${wait}.`)
    answerWith(stage.upstream, limited('1s'), { events: EVENTS })
    const begun = performance.now()
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post(path, body))
    expect([answer.status, calls]).toEqual([200, 2])
    expect(performance.now() - begun).toBeGreaterThan(990)
    answerWith(stage.upstream, limited('20s'))
    const [late, lateCalls] = await callsDuring(stage.upstream, () => stage.post(path, body))
    expect([late.status, late.headers.get('retry-after'), lateCalls]).toEqual([429, '20', 1])
  })

  const BEGUN: readonly (readonly [string, Item])[] = [
    ['text', { text: 'one' }],
    ['a tool call', { call: 'look_up', arguments: { city: 'Lima' } }],
  ]

  test.each(BEGUN)(
    'case 177, 142: after %s overload is an error frame, and nothing is sent again',
    async (_what, item) => {
      answerWith(stage.upstream, failingAnswer('server_is_overloaded', [item]))
      const [text, calls] = await callsDuring(stage.upstream, async () => (await stage.stream(path, body)).ended)
      expect(calls).toBe(1)
      expect(text).toContain('"code":"server_is_overloaded"')
      expect(text).not.toContain('[DONE]')
      expect(text).not.toMatch(/"finish_reason":"/)
    },
  )

  test.each([502, 503])('case 177: an answer of %i is asked for again', async (status) => {
    const before = await stage.metrics()
    answerWith(stage.upstream, { status, body: '' }, { events: EVENTS })
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post(path, body))
    expect([answer.status, calls]).toEqual([200, 2])
    expect((await stage.metrics()).upstream_retries).toBe((before.upstream_retries ?? 0) + 1)
  })

  test('case 177: an answer of 503 that names overload is asked for as often as any other 503', async () => {
    const error = { message: 'Overloaded.', type: 'server_error', code: 'server_is_overloaded', param: null }
    answerWith(stage.upstream, { status: 503, body: { error } })
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.stream(path, body))
    expect([answer.status, calls]).toEqual([503, 3])
    expect(JSON.parse(await answer.ended)).toMatchObject({ error: { code: 'server_is_overloaded' } })
  })

  test.each([
    [429, 'usage_limit_reached'],
    [400, 'invalid_prompt'],
    [500, 'server_error'],
  ])('case 177, 159, 161: a %i with %s is final', async (status, code) => {
    answerWith(stage.upstream, { status, body: { error: { message: 'No.', type: code, code, param: null } } })
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post(path, body))
    expect([answer.status, calls]).toEqual([status, 1])
    expect(await answer.json()).toMatchObject({ error: { code } })
  })

  test('case 178: an upstream that never begins its answer is a 504, streamed too', async () => {
    answerWith(stage.upstream, { connection: 'hang' })
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.stream(path, body))
    expect([answer.status, calls]).toEqual([504, 1])
    expect(JSON.parse(await answer.ended)).toMatchObject({ error: { code: 'upstream_timeout', type: 'server_error' } })
  })
})

test.each([
  ['server_error', 1],
  ['server_is_overloaded', 1],
  ['rate_limit_exceeded', 2],
])(
  'case 177, 162: to Codex, which repeats a 5xx itself but no limit, %s within a 200 takes %i call(s)',
  async (code, times) => {
    answerWith(stage.upstream, failingAnswer(code), { events: EVENTS })
    const headers = { 'content-type': 'application/json', 'x-codex-turn-metadata': '{"turn_id":"1"}' }
    const body = JSON.stringify({ model: 'gpt-5.5', input: 'Hello', stream: true })
    const [answer, calls] = await callsDuring(stage.upstream, async () => {
      const response = await stage.send('/v1/responses', { method: 'POST', headers, body })
      await response.text()
      return response
    })
    expect([answer.ok, calls]).toEqual([times === 2, times])
  },
)
