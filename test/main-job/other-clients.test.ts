import { createOpenAI } from '@ai-sdk/openai'
import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool as langChainTool } from '@langchain/core/tools'
import { ChatOpenAI } from '@langchain/openai'
import { generateObject, generateText, stepCountIs, streamText, tool } from 'ai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { encodeEvents, responseEvents } from '../fake-upstream/event-stream.ts'
import { recordedText } from '../support/recorded.ts'
import { type Stage, startStage } from '../support/stage.ts'

const MODEL = 'gpt-5.5'
const CITY = z.object({ city: z.enum(['Paris', 'Lima', 'Oslo']) })
const THREE_CITIES = ['Paris', 'Lima', 'Oslo']
const SUMMARY = 'The tools answered: rain in Paris; rain in Lima; rain in Oslo.'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

describe.each(['chat', 'responses'] as const)('the AI SDK over its %s model', (kind) => {
  const model = () => createOpenAI({ baseURL: `${stage.proxy.url}/v1`, apiKey: 'unused' })[kind](MODEL)
  const weather = tool({
    description: 'The weather in a city.',
    inputSchema: CITY,
    execute: async ({ city }) => `rain in ${city}`,
  })

  test('streams text with its usage and finish reason', async () => {
    stage.upstream.enqueue({ fixture: 'chatgpt-text-stream' })
    const answer = streamText({ model: model(), prompt: 'Hello', maxRetries: 0 })
    expect(await answer.text).toBe(recordedText('chatgpt-text-stream', 'response.output_text'))
    expect(await answer.finishReason).toBe('stop')
    expect((await answer.usage).totalTokens).toBeGreaterThan(0)
  })

  test('runs three tools side by side, streamed and not', async () => {
    const request = { model: model(), prompt: 'Hello', tools: { weather }, stopWhen: stepCountIs(3), maxRetries: 0 }
    const streamed = streamText(request)
    expect(await streamed.text).toBe(SUMMARY)
    const generated = await generateText(request)
    expect(generated.text).toBe(SUMMARY)
    expect(generated.steps[0]?.toolCalls.map(({ input }) => input)).toEqual(THREE_CITIES.map((city) => ({ city })))
  })

  test('gets an object of its schema', async () => {
    const { object } = await generateObject({ model: model(), prompt: 'Hello', schema: CITY, maxRetries: 0 })
    expect(object).toEqual({ city: 'Paris' })
  })

  test('sees in a stream that it was cut, in the words by which clients know that retrying helps', async () => {
    const events = responseEvents([{ text: 'one two three four five' }])
    stage.upstream.enqueue({ events, dropAfter: Buffer.concat(encodeEvents(events)).indexOf('four') })
    const errors: unknown[] = []
    const answer = streamText({
      model: model(),
      prompt: 'Hello',
      maxRetries: 0,
      onError: ({ error }) => void errors.push(error),
    })
    await answer.consumeStream()
    const message = 'The connection to upstream broke in the middle of its answer. You can retry your request.'
    expect(errors).toMatchObject([{ message, code: 'upstream_stream_cut' }])
  })

  test('sees errors with their status and code', async () => {
    stage.upstream.enqueue({ fixture: 'error-resp-400-context-length-json' })
    const asked = generateText({ model: model(), prompt: 'Hello', maxRetries: 0 })
    await expect(asked).rejects.toMatchObject({ statusCode: 400, isRetryable: false })
  })
})

describe('the AI SDK over its responses model, in a second turn', () => {
  const model = () => createOpenAI({ baseURL: `${stage.proxy.url}/v1`, apiKey: 'unused' }).responses(MODEL)
  const question = { role: 'user' as const, content: 'Hello' }
  const sentLast = () => JSON.stringify(stage.upstream.calls().at(-1)?.json)

  test.each([
    ['sends the first answer along when told to store nothing', { openai: { store: false } }],
    ['case 89: else names it by its id, and the model is told it', {}],
  ])('%s', async (_name, providerOptions) => {
    stage.upstream.enqueue({ events: responseEvents([{ reasoning: [] }, { text: 'I am the first answer.' }]) })
    const { response } = await generateText({ model: model(), messages: [question], providerOptions, maxRetries: 0 })
    const messages = [question, ...response.messages, question]
    await generateText({ model: model(), messages, providerOptions, maxRetries: 0 })
    expect(sentLast()).toContain('I am the first answer.')
  })

  test('case 89: also after an answer that was streamed', async () => {
    stage.upstream.enqueue({ events: responseEvents([{ reasoning: [] }, { text: 'I was streamed.' }]) })
    const streamed = streamText({ model: model(), messages: [question], maxRetries: 0 })
    const { messages } = await streamed.response
    await generateText({ model: model(), messages: [question, ...messages, question], maxRetries: 0 })
    expect(sentLast()).toContain('I was streamed.')
  })
})

describe('case 206: clients that go on by previous_response_id', () => {
  const sentLast = () => stage.upstream.calls().at(-1)?.json
  const answerNext = (text: string, responseId: string) =>
    stage.upstream.enqueue({ events: responseEvents([{ reasoning: [] }, { text }], { responseId }) })
  const WHOLE = [{ role: 'user' }, { type: 'reasoning' }, { role: 'assistant' }, { role: 'user' }]

  test('the AI SDK, with previousResponseId', async () => {
    const model = createOpenAI({ baseURL: `${stage.proxy.url}/v1`, apiKey: 'unused' }).responses(MODEL)
    answerNext('I am the first answer.', 'resp_ai_1')
    const streamed = streamText({ model, prompt: 'Hello', maxRetries: 0 })
    await streamed.consumeStream()
    const previousResponseId = (await streamed.providerMetadata)?.openai?.responseId ?? null
    const providerOptions = { openai: { previousResponseId } }
    await generateText({ model, prompt: 'Go on.', providerOptions, maxRetries: 0 })
    expect(sentLast()).toMatchObject({ input: WHOLE })
  })

  test('LangChain, with previous_response_id', async () => {
    const configuration = { baseURL: `${stage.proxy.url}/v1` }
    const model = new ChatOpenAI({
      model: MODEL,
      apiKey: 'unused',
      maxRetries: 0,
      useResponsesApi: true,
      configuration,
    })
    answerNext('I am the first answer.', 'resp_lc_1')
    const first = await model.invoke('Hello')
    const previous_response_id = String(first.response_metadata.id)
    await model.invoke([new HumanMessage('Go on.')], { previous_response_id })
    expect(sentLast()).toMatchObject({ input: WHOLE })
  })
})

describe.each([
  ['Chat Completions', false],
  ['Responses', true],
])('LangChain over %s', (_name, useResponsesApi) => {
  const model = () =>
    new ChatOpenAI({
      model: MODEL,
      apiKey: 'unused',
      maxRetries: 0,
      useResponsesApi,
      configuration: { baseURL: `${stage.proxy.url}/v1` },
    })
  const weather = langChainTool(async ({ city }: z.infer<typeof CITY>) => `rain in ${city}`, {
    name: 'weather',
    description: 'The weather in a city.',
    schema: CITY,
  })

  test('streams text', async () => {
    stage.upstream.enqueue({ fixture: 'chatgpt-text-stream' })
    let text = ''
    for await (const chunk of await model().stream('Hello')) text += chunk.text
    expect(text).toBe(recordedText('chatgpt-text-stream', 'response.output_text'))
  })

  test('gets tool calls and answers with their results', async () => {
    const bound = model().bindTools([weather])
    const question = new HumanMessage('Hello')
    const calling = await bound.invoke([question])
    expect(calling.tool_calls?.map(({ args }) => args)).toEqual(THREE_CITIES.map((city) => ({ city })))
    const results = (calling.tool_calls ?? []).map(
      ({ id = '', args }) => new ToolMessage({ tool_call_id: id, content: `rain in ${args.city}` }),
    )
    const answer = await bound.invoke([question, calling, ...results])
    expect(answer.text).toBe(SUMMARY)
    expect(answer).toMatchObject({ usage_metadata: { total_tokens: expect.any(Number) } })
  })

  test('gets an object of its schema', async () => {
    expect(await model().withStructuredOutput(CITY, { method: 'jsonSchema' }).invoke('Hello')).toEqual({
      city: 'Paris',
    })
  })
})
