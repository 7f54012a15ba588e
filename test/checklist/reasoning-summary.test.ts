import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
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
const CHAT = { messages: [{ role: 'user', content: 'Hello' }] }

let stage: Stage
beforeAll(async () => {
  const brief = { slug: KNOWN, name: 'Terse', priority: 1, since: '0.1.0', efforts: ['low'] }
  const terse = { ...modelEntry(brief), supports_reasoning_summary_parameter: false }
  stage = await startStage({ upstream: { models: [terse, modelEntry({ ...brief, slug: REFUSING })] } })
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
])('a model that has no summaries answers without one: %s %j', async (path, body, reasoning) => {
  const [answer, calls] = await callsDuring(stage.upstream, () => stage.post(path, { ...body, model: REFUSING }))
  expect([answer.status, calls]).toEqual([200, 2])
  expect(answer.headers.get('x-codex-proxy-ignored')).toBe('reasoning.summary')
  const [wanted, lesser] = stage.upstream.calls().slice(-2)
  expect(lesser?.json).toEqual({ ...(wanted?.json as Json), reasoning })
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

test('a summary that was refused is not asked for again, whatever else is refused after it', async () => {
  const refused = (error: Json): Answer => ({ status: 400, body: { error } })
  answerWith(
    stage.upstream,
    refused({ message: "Unsupported parameter: 'reasoning.summary'.", code: 'unsupported_parameter' }),
    refused({ message: 'It could not be verified.', code: 'invalid_encrypted_content' }),
    ANSWER,
  )
  const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'made-up' }
  const input = [reasoning, { role: 'assistant', content: 'Hi.' }, { role: 'user', content: 'Hello' }]
  const body = { model: KNOWN, input, reasoning: { summary: 'auto' } }
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
