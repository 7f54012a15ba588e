import { expect, test } from 'vitest'
import { answer } from '../../../test/support/answers.ts'
import { recordedBody, recordedEvents } from '../../../test/support/recorded.ts'
import { chatUsage, sumUsage, tokenUsage } from './usage.ts'

const usageOf = (usage: unknown) => chatUsage({ type: 'response.completed', response: { usage } })

test('case 150: usage has the fields and order of a recorded Chat answer', () => {
  const usage = usageOf({
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 6,
    output_tokens_details: { reasoning_tokens: 5 },
    total_tokens: 16,
  })
  const recorded = recordedBody('chat-text-json').usage
  const counts = { prompt_tokens: 10, completion_tokens: 6, total_tokens: 16 }
  expect(usage).toMatchObject({ ...counts, prompt_tokens_details: { cached_tokens: 4 } })
  expect(usage?.completion_tokens_details.reasoning_tokens).toBe(5)
  expect(JSON.stringify(usage).replace(/\d+/g, '0')).toBe(JSON.stringify(recorded).replace(/\d+/g, '0'))
})

test('case 150: missing details are 0', () => {
  expect(usageOf({ input_tokens: 10, output_tokens: 6 })).toMatchObject({
    total_tokens: 16,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  })
})

const NOTHING = {
  prompt_tokens: 0,
  completion_tokens: 0,
  total_tokens: 0,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
}

test('case 150: what is not counted is 0, also in the sum of choices', () => {
  expect(usageOf({})).toEqual(NOTHING)
  for (const usages of [[], [undefined], [usageOf({})]]) expect(sumUsage(usages)).toEqual(NOTHING)
  expect(sumUsage([usageOf({})]).prompt_tokens_details).not.toHaveProperty('cache_write_tokens')
})

test("case 150: the total is upstream's, whatever it counts in it", () => {
  expect(usageOf({ input_tokens: 10, output_tokens: 6, total_tokens: 17 })?.total_tokens).toBe(17)
})

test('cache writes are told when upstream counts them', () => {
  const usage = usageOf({ input_tokens_details: { cached_tokens: 1, cache_write_tokens: 2 } })
  expect(usage?.prompt_tokens_details).toEqual({ cached_tokens: 1, audio_tokens: 0, cache_write_tokens: 2 })
  expect(usageOf({})?.prompt_tokens_details).not.toHaveProperty('cache_write_tokens')
})

test.each([undefined, null, 'text', {}, { response: null }, { response: { usage: null } }])(
  '%j counts nothing',
  (event) => {
    expect(chatUsage(event)).toBeUndefined()
  },
)

test('the usage of several choices is summed', () => {
  const one = usageOf({
    input_tokens: 10,
    output_tokens: 6,
    input_tokens_details: { cached_tokens: 3, cache_write_tokens: 1 },
    output_tokens_details: { reasoning_tokens: 5 },
  })
  expect(sumUsage([one, undefined, one])).toMatchObject({
    prompt_tokens: 20,
    completion_tokens: 12,
    total_tokens: 32,
    prompt_tokens_details: { cached_tokens: 6, cache_write_tokens: 2 },
    completion_tokens_details: { reasoning_tokens: 10 },
  })
})

test('logs keep four counts of it', () => {
  const { stream } = answer(recordedEvents('made-custom-tool-stream'))
  expect(tokenUsage([stream.usage])).toEqual({ input: 20, cached: 5, output: 10, reasoning: 4 })
  expect(tokenUsage([undefined, stream.usage, stream.usage])).toMatchObject({ input: 40, output: 20 })
  expect(tokenUsage([undefined])).toBeUndefined()
})
