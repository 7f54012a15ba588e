import type { ResponseInputItem, ResponseStreamEvent, Tool } from 'openai/resources/responses/responses'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { loadFixture } from '../fake-upstream/fixtures.ts'
import type { Json } from '../fake-upstream/refusal.ts'
import { recordedEvents, recordedText } from '../support/recorded.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

const MODEL = 'gpt-5.5'
const lastBody = () => stage.upstream.calls().at(-1)?.json as Json

/** The items of a recorded stream, in order. */
const recordedOutput = (name: string) =>
  recordedEvents(name)
    .filter(({ type }) => type === 'response.output_item.done')
    .map(({ item }) => item)

test('responses.create takes a text and gives one Response with its output gathered', async () => {
  stage.upstream.enqueue({ fixture: 'chatgpt-text-stream' })
  const response = await stage.client.responses.create({ model: MODEL, input: 'Hello' })
  expect(response.status).toBe('completed')
  expect(response.output_text).toBe(recordedText('chatgpt-text-stream', 'response.output_text'))
  expect(response.output).toEqual(recordedOutput('chatgpt-text-stream'))
  expect(lastBody()).toMatchObject({ store: false, stream: true, instructions: expect.any(String) })
  expect(lastBody().input).toMatchObject([{ role: 'user' }])
})

test('case 144: responses.create streams the recorded events, with the output of the last one filled in', async () => {
  const name = 'chatgpt-parallel-tools-stream'
  stage.upstream.enqueue({ fixture: name })
  const events: ResponseStreamEvent[] = []
  const stream = await stage.client.responses.create({ model: MODEL, input: 'Hello', stream: true })
  for await (const event of stream) events.push(event)
  expect(events.slice(0, -1)).toEqual(recordedEvents(name).slice(0, -1))
  const last = events.at(-1)
  expect(last?.type === 'response.completed' && last.response.output).toEqual(recordedOutput(name))
})

test.each([true, false])(
  'case 144: an output that lists a part of the items becomes whole (stream: %s)',
  async (stream) => {
    const events = responseEvents([{ reasoning: ['Hm.'] }, { text: 'Hello there' }], { output: 'first' })
    stage.upstream.enqueue({ events })
    const asked = { model: MODEL, input: 'Hello' }
    const { output } = stream
      ? await stage.client.responses.stream(asked).finalResponse()
      : await stage.client.responses.create(asked)
    expect(output).toMatchObject([{ type: 'reasoning' }, { type: 'message', content: [{ text: 'Hello there' }] }])
  },
)

test('case 210: a stream goes through byte by byte, except for its last event', async () => {
  const { body } = loadFixture('chatgpt-reasoning-stream')
  const recorded = body.kind === 'stream' ? body.bytes.toString('utf8') : ''
  stage.upstream.enqueue({ fixture: 'chatgpt-reasoning-stream', cut: 333 })
  const answer = await (await stage.post('/v1/responses', { model: MODEL, input: 'Hello', stream: true })).text()
  const beforeLast = recorded.slice(0, recorded.lastIndexOf('event: response.completed'))
  expect(answer.slice(0, beforeLast.length)).toBe(beforeLast)
})

test('responses.stream gives text deltas and a final Response', async () => {
  stage.upstream.enqueue({ fixture: 'chatgpt-reasoning-stream' })
  const stream = stage.client.responses.stream({ model: MODEL, input: [{ role: 'user', content: 'Hello' }] })
  let text = ''
  stream.on('response.output_text.delta', ({ delta }) => {
    text += delta
  })
  const response = await stream.finalResponse()
  expect(text).toBe(recordedText('chatgpt-reasoning-stream', 'response.output_text'))
  expect(response.output_text).toBe(text)
})

test('a tool round trip replays the items of the first answer', async () => {
  const tools = [
    {
      type: 'function' as const,
      name: 'get_weather',
      strict: false,
      parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Paris', 'Lima', 'Oslo'] } } },
    },
  ]
  const first = await stage.client.responses.create({ model: MODEL, input: 'Hello', tools })
  const calls = first.output.flatMap((item) => (item.type === 'function_call' ? [item] : []))
  expect(calls).toHaveLength(3)
  const results = calls.map(({ call_id }) => ({ type: 'function_call_output' as const, call_id, output: 'rain' }))
  const replayed = first.output as ResponseInputItem[]
  const input = [{ role: 'user' as const, content: 'Hello' }, ...replayed, ...results]
  const second = await stage.client.responses.create({ model: MODEL, input, tools })
  expect(second.output_text).toBe('The tools answered: rain; rain; rain.')
})

test('case 90: a call of a tool in a namespace goes back with its namespace, without which upstream refuses it', async () => {
  const call = { type: 'function_call', call_id: 'call_1', name: 'get_weather', namespace: 'weather', arguments: '{}' }
  stage.upstream.enqueue({ events: responseEvents([{ raw: call }]) })
  const tools: Tool[] = [
    {
      type: 'namespace',
      name: 'weather',
      description: 'The weather.',
      tools: [{ type: 'function', name: 'get_weather' }],
    },
  ]
  const first = await stage.client.responses.create({ model: MODEL, input: 'Hello', tools })
  const result = { type: 'function_call_output' as const, call_id: 'call_1', output: 'rain' }
  const input = [{ role: 'user' as const, content: 'Hello' }, ...(first.output as ResponseInputItem[]), result]
  const second = await stage.client.responses.create({ model: MODEL, input, tools })
  expect(second.output_text).toBe('The tools answered: rain.')
  expect(lastBody().input).toContainEqual(call)
})

test('what a client tells as if a tool had said it, with a name but without a call, passes', async () => {
  const told = { type: 'function_call_output', name: 'automation_update', output: 'It is noon.' }
  const input = [{ type: 'message', role: 'user', content: 'Hello' }, told]
  expect((await stage.post('/v1/responses', { model: MODEL, input })).status).toBe(200)
  expect(lastBody().input).toContainEqual(told)
})

test('responses.parse gives an object of the asked schema, and takes its items back', async () => {
  const schema = {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  }
  const response = await stage.client.responses.parse({
    model: MODEL,
    input: 'Hello',
    text: { format: { type: 'json_schema', name: 'place', strict: true, schema } },
  })
  expect(response.output_parsed).toEqual({ city: 'simulated' })
  // With what the client has parsed in them.
  const input = [...response.output, { role: 'user', content: 'And now?' }] as ResponseInputItem[]
  expect(JSON.stringify(input)).toContain('"parsed":{"city":')
  await stage.client.responses.create({ model: MODEL, input })
  expect(lastBody().input).toHaveLength(3)
})

test('parameters the backend refuses are left out and reported', async () => {
  const answer = await stage.post('/v1/responses', {
    model: MODEL,
    input: 'Hello',
    temperature: 0.2,
    max_output_tokens: 100,
    metadata: { a: 'b' },
  })
  expect(answer.status).toBe(200)
  const ignored = answer.headers.get('x-codex-proxy-ignored')?.split(', ').sort()
  expect(ignored).toEqual(['max_output_tokens', 'metadata', 'temperature'])
})

test('response.failed is the HTTP error it stands for', async () => {
  const error = { code: 'context_length_exceeded', message: 'Your input exceeds the context window of this model.' }
  stage.upstream.enqueue({ events: responseEvents([], { end: 'failed', error }) })
  const asked = stage.client.responses.create({ model: MODEL, input: 'Hello' })
  await expect(asked).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' })
})

test('a failure in the middle of a stream is thrown by the official client, who knows it by an error event', async () => {
  const error = { code: 'server_error', message: 'The model failed in the middle.' }
  stage.upstream.enqueue({ events: responseEvents([{ text: 'half an answer' }], { end: 'failed', error }) })
  const stream = await stage.client.responses.create({ model: MODEL, input: 'Hello', stream: true })
  const types: string[] = []
  const read = async () => {
    for await (const { type } of stream) types.push(type)
  }
  await expect(read()).rejects.toMatchObject({ ...error })
  expect(types).toContain('response.output_text.delta')
})
