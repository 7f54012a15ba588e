import { describe, expect, test } from 'vitest'
import { catalogueModel, codexList, modelEntries, openAiList, openAiModel, shownEntries } from './model-entry.ts'

const ENTRY = {
  slug: 'gpt-6-sol',
  display_name: 'GPT-6 Sol',
  visibility: 'list',
  supported_in_api: true,
  priority: 2,
  default_reasoning_level: 'medium',
  supported_reasoning_levels: [
    { effort: 'low', description: 'Quick' },
    { effort: 'high', description: 'Slow' },
  ],
  context_window: 272_000,
  max_output_tokens: 128_000,
  input_modalities: ['text', 'image'],
  use_responses_lite: true,
  base_instructions: 'Codex only.',
}

describe('entries of the catalogue', () => {
  test('are taken as they are; what has no slug is none', () => {
    expect(modelEntries({ models: [ENTRY, { slug: '' }, null, 'gpt', { slug: 3 }] })).toEqual([ENTRY])
  })

  test.each([[null], ['models'], [[]], [{ data: [ENTRY] }], [{ models: {} }]])('are not in %j', (content) => {
    expect(modelEntries(content)).toBeUndefined()
  })

  test('case 195: are shown by priority; hidden ones and those not for the API are not', () => {
    const entries = [
      { slug: 'no-priority' },
      { ...ENTRY, slug: 'second' },
      { ...ENTRY, slug: 'hidden', visibility: 'hide' },
      { ...ENTRY, slug: 'app-only', supported_in_api: false },
      { ...ENTRY, slug: 'first', priority: 1 },
    ]
    expect(shownEntries(entries).map(({ slug }) => slug)).toEqual(['first', 'second', 'no-priority'])
  })

  test('tell conversion the efforts and the lane', () => {
    expect(catalogueModel(ENTRY)).toEqual({
      id: 'gpt-6-sol',
      efforts: ['low', 'high'],
      usesResponsesLite: true,
      takesSummary: true,
    })
    expect(catalogueModel({ slug: 'x' })).toEqual({
      id: 'x',
      efforts: [],
      usesResponsesLite: false,
      takesSummary: true,
    })
  })

  test('case 197: read as OpenAI models, with what clients would guess otherwise', () => {
    expect(openAiModel(ENTRY)).toEqual({
      id: 'gpt-6-sol',
      object: 'model',
      created: 0,
      owned_by: 'openai',
      display_name: 'GPT-6 Sol',
      context_window: 272_000,
      context_length: 272_000,
      max_model_len: 272_000,
      max_output_tokens: 128_000,
      input_modalities: ['text', 'image'],
      supported_reasoning_efforts: ['low', 'high'],
      default_reasoning_effort: 'medium',
    })
  })

  test('case 197: say nothing of what upstream leaves open, and take efforts by their name alone too', () => {
    const levels = [{ effort: 'low' }, 'high', { effort: 3 }, null]
    const entry = { slug: 'x', context_window: null, supported_reasoning_levels: levels }
    expect(openAiModel(entry)).toStrictEqual({
      id: 'x',
      object: 'model',
      created: 0,
      owned_by: 'openai',
      supported_reasoning_efforts: ['low', 'high'],
    })
  })

  test('case 197, 198: OpenAI clients get OpenAI’s list, Codex the entries too', () => {
    expect(openAiList([ENTRY])).toStrictEqual({ object: 'list', data: [openAiModel(ENTRY)] })
    const hidden = { ...ENTRY, slug: 'hidden', visibility: 'hide' }
    expect(codexList([ENTRY], [hidden, ENTRY])).toStrictEqual({
      object: 'list',
      data: [openAiModel(ENTRY)],
      models: [hidden, ENTRY],
    })
  })
})
