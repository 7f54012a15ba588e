import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { Answer } from '../fake-upstream/answer.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { modelEntry } from '../fake-upstream/models.ts'
import type { Json } from '../fake-upstream/refusal.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { answerWith, callsDuring } from '../support/upstream-answers.ts'

const ANSWER: Answer = { events: responseEvents([{ text: 'Hello.' }]) }
/** A model that refuses summaries, though the list of models says otherwise. */
const REFUSING = 'gpt-5.3-codex-spark'
/** One whose entry says so. */
const KNOWN = 'gpt-5.4-terse'
const OTHER = 'gpt-5.4-verbose'
/** One that refuses them once, in one test. */
const UNWILLING = 'gpt-5.4-unwilling'
/** One that refuses whatever it is asked. */
const STUBBORN = 'gpt-5.4-stubborn'
const CHAT = { messages: [{ role: 'user', content: 'Hello' }] }

const brief = { slug: KNOWN, name: 'Terse', priority: 1, since: '0.1.0', efforts: ['low'] }
const terse = { ...modelEntry(brief), supports_reasoning_summary_parameter: false }
const MODELS = [terse, ...[REFUSING, OTHER, UNWILLING, STUBBORN].map((slug) => modelEntry({ ...brief, slug }))]

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ upstream: { models: MODELS } })
  await stage.send('/v1/models')
})
afterAll(() => stage.close())
beforeEach(() => answerWith(stage.upstream, ANSWER))

const lastBody = () => stage.upstream.calls().at(-1)?.json as Json

test.each([
  ['/v1/chat/completions', { ...CHAT, reasoning_effort: 'low' }, { effort: 'low' }],
  ['/v1/chat/completions', CHAT, undefined],
  ['/v1/responses', { input: 'Hello', reasoning: { effort: 'low', summary: 'auto' } }, { effort: 'low' }],
  ['/v1/responses', { input: 'Hello', reasoning: { summary: 'auto' } }, undefined],
])('a model that has no summaries answers without one, and is not asked for one again: %s %j', async (...row) => {
  const [path, body, reasoning] = row
  const fresh = await startStage({ upstream: { models: MODELS } })
  onTestFinished(() => fresh.close())
  answerWith(fresh.upstream, ANSWER)
  const ask = () => callsDuring(fresh.upstream, () => fresh.post(path, { ...body, model: REFUSING }))
  for (const expected of [2, 1]) {
    const [answer, calls] = await ask()
    expect([answer.status, calls]).toEqual([200, expected])
    expect(answer.headers.get('x-codex-proxy-ignored')).toBe('reasoning.summary')
  }
  const [wanted, fallback, next] = fresh.upstream.calls().slice(-3)
  expect(fallback?.json).toEqual({ ...(wanted?.json as Json), reasoning })
  expect(next?.json).toEqual(fallback?.json)
})

test('who asked such a model for no summary is not told that there is none', async () => {
  const ask = (reasoning: Json) => stage.post('/v1/responses', { input: 'Hello', reasoning, model: REFUSING })
  await ask({ summary: 'auto' })
  const [answer, calls] = await callsDuring(stage.upstream, () => ask({ effort: 'low' }))
  expect([answer.status, calls, answer.headers.get('x-codex-proxy-ignored')]).toEqual([200, 1, null])
})

test('that there is no summary is told once for all choices, beside what else had no effect', async () => {
  const fresh = await startStage({ upstream: { models: MODELS } })
  onTestFinished(() => fresh.close())
  answerWith(fresh.upstream, ANSWER)
  for (const _time of ['each choice learns it', 'it is known']) {
    const answer = await fresh.post('/v1/chat/completions', { ...CHAT, model: REFUSING, n: 3, temperature: 0.5 })
    expect(answer.headers.get('x-codex-proxy-ignored')).toBe('temperature, reasoning.summary')
  }
})

test('a model that takes summaries is asked for them, whatever another has refused', async () => {
  await stage.post('/v1/responses', { input: 'Hello', reasoning: { summary: 'auto' }, model: REFUSING })
  await stage.post('/v1/responses', { input: 'Hello', reasoning: { summary: 'auto' }, model: OTHER })
  expect(lastBody().reasoning).toEqual({ summary: 'auto' })
})

test.each([
  { message: "Unsupported parameter: 'reasoning.mode' is not supported.", code: 'unsupported_parameter' },
  { message: "Unsupported value: 'reasoning.summary' does not support 'concise'.", code: 'unsupported_value' },
])('another refusal of the same request stays one: $message', async (refusal) => {
  answerWith(stage.upstream, { status: 400, body: { error: refusal } })
  const [answer, calls] = await callsDuring(stage.upstream, () =>
    stage.post('/v1/chat/completions', { ...CHAT, model: KNOWN }),
  )
  expect([answer.status, calls]).toEqual([400, 1])
})

const refused = (error: Json): Answer => ({ status: 400, body: { error } })
const SUMMARY_REFUSED = refused({
  message: "Unsupported parameter: 'reasoning.summary'.",
  code: 'unsupported_parameter',
})

test('a request is sent without a summary once when that is refused too', async () => {
  answerWith(stage.upstream, SUMMARY_REFUSED)
  const body = { ...CHAT, model: STUBBORN }
  const [answer, calls] = await callsDuring(stage.upstream, () => stage.post('/v1/chat/completions', body))
  expect([answer.status, calls]).toEqual([400, 2])
})

test('a summary that was refused is not asked for again, whatever else is refused after it', async () => {
  answerWith(
    stage.upstream,
    SUMMARY_REFUSED,
    refused({ message: 'It could not be verified.', code: 'invalid_encrypted_content' }),
    ANSWER,
  )
  const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'made-up' }
  const input = [reasoning, { role: 'assistant', content: 'Hi.' }, { role: 'user', content: 'Hello' }]
  const body = { model: UNWILLING, input, reasoning: { summary: 'auto' } }
  const [answer, calls] = await callsDuring(stage.upstream, () => stage.post('/v1/responses', body))
  expect([answer.status, calls]).toEqual([200, 3])
  expect(lastBody()).not.toHaveProperty('reasoning')
})

test('where the list of models tells, no summary is asked for, unless the client does', async () => {
  await stage.post('/v1/chat/completions', { ...CHAT, model: KNOWN, reasoning_effort: 'low' })
  expect(lastBody().reasoning).toEqual({ effort: 'low' })
  await stage.post('/v1/chat/completions', { ...CHAT, model: KNOWN, reasoning: { summary: 'detailed' } })
  expect(lastBody().reasoning).toEqual({ summary: 'detailed' })
})
