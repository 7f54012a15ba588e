import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixtureNames, loadFixture } from '../fake-upstream/fixtures.ts'
import { CHAT } from '../support/questions.ts'
import { recordedCalls, recordedEvents, recordedText } from '../support/recorded.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

const STREAMS = fixtureNames().filter((name) => {
  const { api, body } = loadFixture(name)
  return api === 'responses' && body.kind === 'stream' && !name.startsWith('made-')
})
const FAILED = STREAMS.filter((name) => recordedEvents(name).some(({ type }) => type === 'response.failed'))
const ANSWERED = STREAMS.filter((name) => !FAILED.includes(name))

test.each(ANSWERED)('%s: the stream, in any cut, joins to the completion, and nothing is lost', async (fixture) => {
  stage.upstream.setDefault({ fixture, cut: 13 })
  const stream = stage.client.chat.completions.stream({ ...CHAT, stream_options: { include_usage: true } })
  const joined = await stream.finalChatCompletion()
  const completion = await stage.client.chat.completions.create(CHAT)

  const [streamed, complete] = [joined.choices[0], completion.choices[0]]
  expect(streamed?.finish_reason).toBe(complete?.finish_reason)
  expect(streamed?.message.refusal ?? null).toBe(complete?.message.refusal)
  expect(streamed?.message.content || null).toBe(complete?.message.content || null)
  expect(streamed?.message.tool_calls ?? []).toMatchObject(complete?.message.tool_calls ?? [])
  expect(joined.usage).toEqual(completion.usage)

  const message = complete?.message as OpenAI.ChatCompletionMessage & { reasoning_content?: string }
  const said = `${message.content ?? ''}${message.reasoning_content ?? ''}`
  for (const type of ['response.output_text', 'response.reasoning_summary_text']) {
    for (const event of recordedEvents(fixture).filter((each) => each.type === `${type}.done`)) {
      expect(said).toContain(String(event.text).trim())
    }
  }
  expect(message.refusal ?? '').toBe(recordedText(fixture, 'response.refusal'))
  const calls = (message.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call] : []))
  expect(calls.map(({ id, function: called }) => ({ id, ...called }))).toEqual(recordedCalls(fixture))
})

test.each(FAILED)('%s: the failure is an error for a stream and for a completion', async (fixture) => {
  stage.upstream.setDefault({ fixture })
  for (const stream of [true, false]) {
    const asked = stage.client.chat.completions.create({ ...CHAT, stream })
    await expect(asked).rejects.toBeInstanceOf(OpenAI.APIError)
  }
})

test('there are recorded streams to prove it on', () => {
  expect(ANSWERED.length).toBeGreaterThan(30)
  expect(FAILED.length).toBeGreaterThan(0)
})
