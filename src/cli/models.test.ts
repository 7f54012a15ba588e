import { expect, test } from 'vitest'
import { modelsIn, usualModels } from './models.ts'

const listed = (...entries: [id: string, created: number][]) =>
  modelsIn({ object: 'list', data: entries.map(([id, created]) => ({ id, created, object: 'model' })) })

test('of a list of ids alone nothing else is known', () => {
  expect(listed(['whisper-1', 1])).toEqual([{ id: 'whisper-1', name: 'whisper-1', created: 1 }])
})

test('a model of a plan is described by its entry, where that is silent by what they have in common', () => {
  const data = [{ id: 'gpt-6' }, { id: 'gpt-7' }]
  const inOwnWords = { slug: 'gpt-7', input_modalities: ['text'], supported_reasoning_levels: [], context_window: 1000 }
  const [plain, described] = modelsIn({ data, models: [{ slug: 'gpt-6', display_name: 'GPT-6' }, inOwnWords] })
  const limits = { contextWindow: 272_000, maxOutput: 128_000 }
  expect(plain).toEqual({ id: 'gpt-6', name: 'GPT-6', images: true, reasoning: true, ...limits, inPlan: true })
  expect(described).toMatchObject({ images: false, reasoning: false, contextWindow: 1000, maxOutput: 128_000 })
})

test.each([
  ['has the levels of thinking that its entry lists', ['low', 'max', 1], { efforts: ['low', 'max'] }],
  ['has none of which nothing is known', [], {}],
])('a model %s', (_what, supported_reasoning_efforts, expected) => {
  const [model] = modelsIn({ data: [{ id: 'gpt-6', supported_reasoning_efforts }] })
  expect(model).toEqual({ id: 'gpt-6', name: 'gpt-6', ...expected })
})

test('how long an answer may get is known where an entry says so', () => {
  const models = [
    { slug: 'gpt-6', max_output_tokens: 64_000 },
    { slug: 'gpt-7', max_output_tokens: null },
  ]
  const lengths = modelsIn({ data: [{ id: 'gpt-6' }, { id: 'gpt-7' }], models }).map(({ maxOutput }) => maxOutput)
  expect(lengths).toEqual([64_000, 128_000])
})

test('what no list of models is has none', () => {
  expect([modelsIn(undefined), modelsIn({ data: 'x' }), modelsIn({ data: [null, { id: 1 }] })]).toEqual([[], [], []])
})

const usual = (...entries: [id: string, created: number][]) => usualModels(listed(...entries)).map(({ id }) => id)

test('of an API key usual models are offered, the newest first, small ones after all others', () => {
  const ids = usual(['gpt-4-0613', 10], ['gpt-9-mini', 90], ['gpt-5.5', 50], ['gpt-5.5-nano', 60], ['o3', 95])
  expect(ids).toEqual(['gpt-5.5', 'gpt-4-0613', 'gpt-9-mini', 'gpt-5.5-nano'])
})

test('a model of which nobody says when it was made comes after those that tell', () => {
  const ids = ['gpt-4', 'gpt-5', 'gpt-6'].map((id) => (id === 'gpt-5' ? { id, created: 1 } : { id }))
  expect(usualModels(modelsIn({ data: ids })).map(({ id }) => id)).toEqual(['gpt-5', 'gpt-4', 'gpt-6'])
})

test.each([
  ...['whisper-1', 'text-embedding-3-small', 'dall-e-3', 'ft:gpt-4o:acme', 'gpt-image-1', 'gpt-audio', 'gpt-realtime'],
  ...['gpt-3.5-turbo-instruct', 'gpt-4o-mini-transcribe', 'gpt-4o-mini-tts', 'gpt-4o-search-preview', 'gpt-5-pro'],
  ...['gpt-5.1-codex-max', 'gpt-5-chat-latest', 'gpt-4o-realtime-preview', 'gpt-5-search-api-2025-10-14'],
])('%s is not offered unasked', (id) => {
  expect(usual([id, 99])).toEqual([])
})

test('of a plan all are offered as they come: upstream puts the best first', () => {
  const models = modelsIn({
    data: [{ id: 'codex-6' }, { id: 'gpt-5' }],
    models: [{ slug: 'codex-6' }, { slug: 'gpt-5' }],
  })
  expect(usualModels(models)).toEqual(models)
})
