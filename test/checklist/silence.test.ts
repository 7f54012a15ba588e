import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OPTIONS } from '../../src/config/options.ts'
import { createGate } from '../fake-upstream/answer.ts'
import { responseEvents, type StreamEvent, untilFirstDelta } from '../fake-upstream/event-stream.ts'
import { CHAT, RESPONSES, ROUTES } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { answerWith, failingAnswer } from '../support/upstream-answers.ts'
import { answeredTurn, framesOf, watchAnswer } from '../support/watched-answer.ts'

const TEXT = 'one two three four'
const EVENTS = responseEvents([{ text: TEXT }])
const UNTIL_FIRST_DELTA = untilFirstDelta(EVENTS)
const UNTIL_IN_PROGRESS = EVENTS.findIndex(({ type }) => type === 'response.in_progress') + 1

const KEEP_ALIVE = ': keepalive\n\n'

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ args: ['--keep-alive', '200ms', '--idle-timeout', '5s'] })
})
afterAll(() => stage.close())

describe.each(ROUTES)('%s', (path, body) => {
  test('case 164, 170: the 200 waits for something visible, but no longer than the first keep-alive', async () => {
    const gate = createGate()
    gate.release(UNTIL_IN_PROGRESS)
    answerWith(stage.upstream, { ...failingAnswer('invalid_prompt'), gate })
    const answer = await stage.stream(path, body)
    expect(answer.status).toBe(200)
    await answer.until(KEEP_ALIVE)
    gate.open()
    const text = await answer.ended
    expect(text).not.toContain('[DONE]')
    expect(text).toContain('"code":"invalid_prompt"')
  })

  test('case 170: silence within an answer is filled with comments', async () => {
    const gate = createGate()
    gate.release(UNTIL_FIRST_DELTA)
    answerWith(stage.upstream, { events: EVENTS, gate })
    const answer = await stage.stream(path, body)
    await answer.until(new RegExp(`one.*\\n\\n${KEEP_ALIVE}${KEEP_ALIVE}`))
    gate.open()
    expect(withoutKeepAlives(await answer.ended)).toMatch(/data: \[DONE\]\n\n$|response\.completed/)
  })

  test('case 173: nothing between us and the client may hold, recode or keep the stream', async () => {
    answerWith(stage.upstream, { events: EVENTS })
    const asked = { 'accept-encoding': 'gzip, deflate, br' }
    const answer = await watchAnswer(stage.proxy.url, path, { ...body, stream: true }, asked)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    expect(answer.headers['content-encoding']).toBeUndefined()
    expect(answer.headers['content-length']).toBeUndefined()
    expect(await answer.ended).toContain('one')
  })

  test('case 174: comments come between frames, never within one', async () => {
    answerWith(stage.upstream, { events: EVENTS, cut: 700, delayMs: 300 })
    const text = await (await stage.stream(path, body)).ended
    expect(text).toContain(KEEP_ALIVE)
    const rest = withoutKeepAlives(text)
    answerWith(stage.upstream, { events: EVENTS })
    expect(rest).toBe(await (await stage.stream(path, body)).ended)
  })

  test('case 172, 180: silence beyond the idle limit is an error frame after the keep-alives, a longer answer is none', async () => {
    const [lasting, silent] = [createGate(), createGate()]
    for (const gate of [lasting, silent]) gate.release(UNTIL_FIRST_DELTA)
    const many = 'word '.repeat(100).trim()
    answerWith(
      stage.upstream,
      { events: responseEvents([{ text: many }]), gate: lasting },
      { events: EVENTS, gate: silent },
    )
    const long = await stage.stream(path, body)
    await long.until('word')
    const cut = await stage.stream(path, body)
    // The long one, which began before, goes on at each keep-alive of the silent one until that is cut.
    for (let count = 1; await cut.until(KEEP_ALIVE.repeat(count)).catch(() => false); count++) lasting.release()
    const text = await cut.ended
    for (const gate of [lasting, silent]) gate.open()
    const whole = await long.ended
    const deltas = framesOf(whole).filter(({ type }) => type === 'response.output_text.delta')
    expect(answeredTurn(whole, 'content') || deltas.map(({ delta }) => delta).join('')).toBe(many)
    expect(text).toContain(KEEP_ALIVE)
    const failure = { error: { code: 'upstream_timeout' } }
    const failed = { type: 'response.failed', response: failure }
    const end = path === '/v1/responses' ? [failure, failed] : [failure]
    expect(framesOf(text).slice(-end.length)).toMatchObject(end)
    expect(text).not.toContain('[DONE]')
  })
})

test('case 171: keepalive events of upstream pass on the Responses route, and Chat shows nothing of them', async () => {
  const keepalive: StreamEvent = { type: 'keepalive' }
  const events = EVENTS.flatMap((event) => [keepalive, event])
  answerWith(stage.upstream, { events }, { events })
  const passed = await (await stage.stream('/v1/responses', RESPONSES)).ended
  expect(framesOf(passed).filter(({ type }) => type === 'keepalive')).toHaveLength(EVENTS.length)
  const chat = await (await stage.stream('/v1/chat/completions', CHAT)).ended
  expect(chat).not.toContain('keepalive')
  expect(answeredTurn(chat, 'content')).toBe(TEXT)
})

test('case 172, 180: by default upstream may be silent for ten minutes and more, longer than Node’s own limits', () => {
  const tenMinutes = 600_000
  expect(OPTIONS.headerTimeout.default).toBeGreaterThanOrEqual(tenMinutes)
  expect(OPTIONS.idleTimeout.default).toBeGreaterThanOrEqual(tenMinutes)
  expect(OPTIONS.keepAlive.default).toBeLessThanOrEqual(15_000)
})

function withoutKeepAlives(text: string): string {
  return text.replaceAll(KEEP_ALIVE, '')
}
