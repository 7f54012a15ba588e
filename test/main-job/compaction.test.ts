import type { ResponseInputItem } from 'openai/resources/responses/responses'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import type { Json } from '../fake-upstream/refusal.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

const MODEL = 'gpt-5.5'
const PATH = '/v1/responses/compact'
const lastCall = () => stage.upstream.calls().at(-1)
const lastBody = () => lastCall()?.json as Json
const user = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] })

const CONVERSATION: ResponseInputItem[] = [
  { role: 'user', content: 'What is the time?' },
  { type: 'function_call', call_id: 'call_1', name: 'clock', arguments: '{}' },
  { type: 'function_call_output', call_id: 'call_1', output: '12:00' },
  { role: 'assistant', content: 'Noon.' },
  { role: 'user', content: 'And now?' },
]

test('case 208: a conversation is compacted by an ordinary request, and goes on from what comes back', async () => {
  const compacted = await stage.client.responses.compact({
    model: MODEL,
    instructions: 'Be brief.',
    input: CONVERSATION,
  })
  expect(lastBody()).toMatchObject({ model: MODEL, instructions: 'Be brief.', store: false, stream: true })
  expect((lastBody().input as Json[]).map(({ type }) => type)).toEqual([
    'message',
    'function_call',
    'function_call_output',
    'message',
    'message',
    'compaction_trigger',
  ])
  expect(lastCall()?.headers).toMatchObject({ 'x-codex-beta-features': 'remote_compaction_v2' })
  const compaction = { id: 'cmp_fake6', type: 'compaction', encrypted_content: 'compacted-6' }
  const kept = (text: string, n: number) => ({ id: `msg_fake0006_${n}`, ...user(text), status: 'completed' })
  expect(compacted).toEqual({
    id: 'resp_fake0006',
    object: 'response.compaction',
    created_at: expect.any(Number),
    output: [kept('What is the time?', 0), kept('And now?', 1), compaction],
    usage: expect.objectContaining({ input_tokens: 42 }),
  })

  const input = [...(compacted.output as ResponseInputItem[]), { role: 'user' as const, content: 'Go on.' }]
  await stage.client.responses.create({ model: MODEL, input, store: false })
  expect(lastBody().input).toEqual([user('What is the time?'), user('And now?'), compaction, user('Go on.')])
})

test('case 206, 208: what an earlier answer knows is compacted with it', async () => {
  const { id } = await stage.client.responses.create({ model: MODEL, input: 'Remember the tides.' })
  const { output } = await stage.client.responses.compact({ model: MODEL, previous_response_id: id })
  expect(lastBody().input).toMatchObject([{ role: 'user' }, { type: 'reasoning' }, { role: 'assistant' }, {}])
  expect(output).toMatchObject([{ role: 'user', content: [{ text: 'Remember the tides.' }] }, { type: 'compaction' }])
})

test('case 208: a text is what the user said', async () => {
  const { output } = await stage.client.responses.compact({ model: MODEL, input: 'Hello' })
  expect(lastBody().input).toEqual([user('Hello'), { type: 'compaction_trigger' }])
  expect(output).toMatchObject([user('Hello'), { type: 'compaction' }])
})

test('case 208: a trigger of the client is not sent beside ours, since only the last item may be one', async () => {
  const answer = await stage.post(PATH, { model: MODEL, input: [{ type: 'compaction_trigger' }, user('Hello')] })
  expect([answer.status, lastBody().input]).toEqual([200, [user('Hello'), { type: 'compaction_trigger' }]])
})

test('case 208: a large image of the user comes back whole', async () => {
  const image_url = `data:image/png;base64,${Buffer.alloc(300_000, 'a tile ').toString('base64')}`
  const content = [{ type: 'input_image', image_url }]
  const answer = (await (
    await stage.post(PATH, { model: MODEL, input: [{ type: 'message', role: 'user', content }] })
  ).json()) as Json
  const kept = { id: expect.any(String), type: 'message', role: 'user', content, status: 'completed' }
  expect(answer.output).toEqual([kept, expect.objectContaining({ type: 'compaction' })])
})

test('case 189, 208: on the Lite lane the items stay as Codex wrote them, and so do its other features', async () => {
  const tools = { type: 'additional_tools', role: 'developer', tools: [] }
  const said = { ...user('Hello'), id: 'msg_1' }
  const answer = await stage.send(PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-codex-beta-features': 'memories, remote_compaction_v2' },
    body: JSON.stringify({ model: MODEL, input: [tools, said] }),
  })
  expect(lastBody().input).toEqual([tools, said, { type: 'compaction_trigger' }])
  expect(lastCall()?.headers).toMatchObject({
    'x-codex-beta-features': 'memories,remote_compaction_v2',
    'x-openai-internal-codex-responses-lite': 'true',
  })
  expect(await answer.json()).toMatchObject({ output: [said, { type: 'compaction' }] })
})

test('case 208: an answer without a compaction is a failure: clients would lose the conversation', async () => {
  stage.upstream.enqueue({ events: responseEvents([{ text: 'Hello' }]) })
  const answer = await stage.post(PATH, { model: MODEL, input: 'Hello' })
  expect(answer.status).toBe(502)
  expect(await answer.json()).toMatchObject({
    error: { code: 'upstream_invalid', message: expect.stringContaining('without compacting') },
  })
})

test.each([
  [{ model: MODEL, input: 7 }, 'input'],
  [{ model: MODEL, input: [null] }, 'input[0]'],
  [[], null],
  [{ input: 'Hello' }, 'model'],
])('case 208: %j is refused as at /v1/responses', async (body, param) => {
  const answer = await stage.post(PATH, body)
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ error: { param } })
})
