import { zodResponseFormat } from 'openai/helpers/zod'
import type { ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources/chat'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { Json } from '../fake-upstream/refusal.ts'
import { recordedCalls, recordedText } from '../support/recorded.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

const MODEL = 'gpt-5.5'
const HELLO: ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hello' }]

const lastBody = () => stage.upstream.calls().at(-1)?.json as Json

async function collect(stream: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> {
  const chunks: ChatCompletionChunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

test('a streamed chat holds exactly the recorded text, one id, one finish reason and the usage last', async () => {
  stage.upstream.enqueue({ fixture: 'chatgpt-text-stream' })
  const stream = await stage.client.chat.completions.create({
    model: MODEL,
    messages: HELLO,
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks = await collect(stream)
  const text = chunks.map(({ choices: [choice] }) => choice?.delta.content ?? '').join('')
  expect(text).toBe(recordedText('chatgpt-text-stream', 'response.output_text'))
  expect(text).not.toBe('')
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
  expect(chunks.flatMap(({ choices: [choice] }) => choice?.finish_reason ?? [])).toEqual(['stop'])
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } })
  expect(lastBody()).toMatchObject({ store: false, stream: true, instructions: '', model: MODEL })
})

test('the stream ends with [DONE], and without include_usage no chunk mentions usage', async () => {
  const answer = await stage.post('/v1/chat/completions', { model: MODEL, messages: HELLO, stream: true })
  expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
  const text = await answer.text()
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
  expect(text).not.toContain('usage')
})

test('a completion holds what the stream of the same answer holds', async () => {
  stage.upstream.enqueue({ fixture: 'chatgpt-reasoning-stream' })
  const completion = await stage.client.chat.completions.create({ model: MODEL, messages: HELLO })
  const [choice] = completion.choices
  expect(completion.object).toBe('chat.completion')
  expect(choice?.message).toMatchObject({
    role: 'assistant',
    content: recordedText('chatgpt-reasoning-stream', 'response.output_text'),
    refusal: null,
  })
  expect(choice?.finish_reason).toBe('stop')
  expect(completion.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(0)
})

const WEATHER: ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Paris', 'Lima', 'Oslo'] } } },
  },
}

test('three parallel tool calls make a round trip, streamed', async () => {
  const request = { model: MODEL, tools: [WEATHER] }
  const first = stage.client.chat.completions.stream({ ...request, messages: HELLO })
  const { message, finish_reason } = (await first.finalChatCompletion()).choices[0] ?? {}
  const calls = (message?.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call] : []))
  expect(finish_reason).toBe('tool_calls')
  expect(message?.content).toBeNull()
  expect(calls.map((call) => JSON.parse(call.function.arguments))).toEqual([
    { city: 'Paris' },
    { city: 'Lima' },
    { city: 'Oslo' },
  ])
  expect(new Set(calls.map(({ id }) => id)).size).toBe(3)

  const results: ChatCompletionMessageParam[] = calls.map(({ id }, index) => ({
    role: 'tool',
    tool_call_id: id,
    content: `weather ${index + 1}`,
  }))
  const history: ChatCompletionMessageParam[] = [...HELLO, { role: 'assistant', tool_calls: calls }, ...results]
  const second = stage.client.chat.completions.stream({ ...request, messages: history })
  expect(await second.finalContent()).toBe('The tools answered: weather 1; weather 2; weather 3.')
  const input = lastBody().input as Json[]
  const outputs = input.filter(({ type }) => type === 'function_call_output')
  expect(outputs.map(({ call_id }) => call_id)).toEqual(calls.map(({ id }) => id))
})

test('parallel calls of a recorded answer arrive with their ids, names and arguments', async () => {
  const name = 'chatgpt-parallel-tools-stream'
  stage.upstream.enqueue({ fixture: name })
  const { choices } = await stage.client.chat.completions.create({ model: MODEL, messages: HELLO, tools: [WEATHER] })
  const calls = choices[0]?.message.tool_calls ?? []
  const expected = recordedCalls(name).map(({ id, ...called }) => ({ id, type: 'function', function: called }))
  expect(calls).toEqual(expected)
  expect(calls.length).toBeGreaterThan(1)
})

test('the tool runner of the client goes the whole round by itself', async () => {
  const asked: unknown[] = []
  const runner = stage.client.chat.completions.runTools({
    model: MODEL,
    messages: HELLO,
    tools: [
      {
        type: 'function',
        function: {
          name: 'get_weather',
          description: 'The weather in a city.',
          parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Paris', 'Lima', 'Oslo'] } } },
          parse: JSON.parse,
          function: ({ city }: { city: string }) => {
            asked.push(city)
            return `rain in ${city}`
          },
        },
      },
    ],
  })
  expect(await runner.finalContent()).toBe('The tools answered: rain in Paris; rain in Lima; rain in Oslo.')
  expect(asked).toEqual(['Paris', 'Lima', 'Oslo'])
})

test('chat.completions.parse gives an object of the asked schema', async () => {
  const Event = z.object({ name: z.string(), participants: z.array(z.string()), confirmed: z.boolean() })
  const completion = await stage.client.chat.completions.parse({
    model: MODEL,
    messages: [{ role: 'user', content: 'Alice and Bob meet.' }],
    response_format: zodResponseFormat(Event, 'event'),
  })
  const expected = { name: 'simulated', participants: ['simulated'], confirmed: true }
  expect(completion.choices[0]?.message.parsed).toEqual(expected)
  expect(lastBody().text).toMatchObject({ format: { type: 'json_schema', name: 'event', strict: true } })
})

test('a refusal is a refusal, not content', async () => {
  stage.upstream.enqueue({ fixture: 'resp-refusal-stream' })
  const { choices } = await stage.client.chat.completions.create({ model: MODEL, messages: HELLO })
  expect(choices[0]?.message).toMatchObject({
    content: null,
    refusal: recordedText('resp-refusal-stream', 'response.refusal'),
  })
})

test('an image reaches upstream as it was given', async () => {
  const url =
    'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  const answer = await stage.client.chat.completions.create({
    model: MODEL,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is it?' },
          { type: 'image_url', image_url: { url, detail: 'high' } },
        ],
      },
    ],
  })
  expect(answer.choices[0]?.message.content).not.toBe('')
  expect(lastBody().input).toMatchObject([
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'What is it?' },
        { type: 'input_image', image_url: url, detail: 'high' },
      ],
    },
  ])
})

test('case 185, 186, 187: upstream is told who asks: our own name and version, and nothing of the client', async () => {
  await stage.client.chat.completions.create({ model: MODEL, messages: HELLO })
  const headers = stage.upstream.calls().at(-1)?.headers ?? {}
  expect(headers.originator).toBe('codex-api-proxy')
  expect(headers['user-agent']).toMatch(/^codex-api-proxy\/\d+\.\d+/)
  expect(headers.accept).toBe('text/event-stream')
  expect(headers['chatgpt-account-id']).toBe('00000000-0000-4000-8000-00000000acc1')
  expect(headers.version).toMatch(/^\d+\.\d+\.\d+/)
  expect(headers['session-id']).toMatch(/\S/)
  expect(Object.keys(headers).filter((name) => name.startsWith('x-stainless'))).toEqual([])
  expect(headers.authorization).not.toContain('unused')
})

test('any cut of the bytes gives the same answer', async () => {
  const answers: string[] = []
  for (const cut of [1000, 7, 'every-byte'] as const) {
    stage.upstream.enqueue({ fixture: 'chatgpt-parallel-tools-stream', cut })
    const answer = await stage.post('/v1/chat/completions', {
      model: MODEL,
      messages: HELLO,
      stream: true,
      tools: [WEATHER],
    })
    answers.push(await answer.text())
  }
  expect(new Set(answers).size).toBe(1)
})
