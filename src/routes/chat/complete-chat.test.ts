import { expect, test, vi } from 'vitest'
import { callItem, chatPlan } from '../../../test/support/answers.ts'
import { Cancellation } from '../../cancellation.ts'
import { namedFrame } from '../../sse/frames.ts'
import { newRequestRecord } from '../../telemetry/request-record.ts'
import type { AnswerBody, BodySink } from '../../upstream/answer.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import type { UpstreamCall } from '../upstream-call/upstream-call.ts'
import { completeChat } from './complete-chat.ts'

/** So many choices of one answer in one piece, and where upstream says what it says of each. */
function begin(choices: number) {
  const sinks: BodySink[] = []
  const body: AnswerBody = {
    over: false,
    pipe: (sink) => sinks.push(sink),
    pause() {},
    resume() {},
    abort() {},
  }
  const release = vi.fn()
  const call: Pick<UpstreamCall, 'open' | 'release'> = {
    open: async () => ({ status: 200, headers: {}, body }),
    release,
  }
  const context: Partial<RouteContext> = {
    config: { maxEvent: Number.POSITIVE_INFINITY } as RouteContext['config'],
    monotonic: () => 5,
    now: () => 0,
    random: () => 0,
  }
  const record = newRequestRecord('id', 'POST', '/v1/chat/completions', 0)
  const request: Partial<ApiRequest> = { record, cancellation: new Cancellation() }
  const plan = chatPlan({ stream: false, choices })
  const answer = completeChat(context as RouteContext, request as ApiRequest, plan, call as UpstreamCall)
  const say = (choice: number, event: { type: string; response?: object }) => {
    const memory = Buffer.from(namedFrame(event.type, event))
    sinks[choice]?.data({ memory, ranges: [0, memory.length] })
  }
  return { answer, record, release, say, begun: () => expect.poll(() => sinks).toHaveLength(choices) }
}

const CREATED = { type: 'response.created', response: { id: 'resp_1', created_at: 1, model: 'gpt-5.5' } }
const DELTA = { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Hi' }
const COMPLETED = {
  type: 'response.completed',
  response: { status: 'completed', output: [], usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 } },
}

test('the request is let go once something of every choice is visible, and not before', async () => {
  const { answer, release, say, begun } = begin(2)
  await begun()
  say(0, CREATED)
  say(0, DELTA)
  say(1, CREATED)
  expect(release).not.toHaveBeenCalled()
  say(1, DELTA)
  expect(release).toHaveBeenCalled()
  for (const choice of [0, 1]) say(choice, COMPLETED)
  await answer
})

test('an answer in one piece counts the tokens of all its choices, and begins for the client when it has ended', async () => {
  const { answer, record, say, begun } = begin(2)
  await begun()
  for (const choice of [0, 1]) for (const event of [CREATED, DELTA]) say(choice, event)
  expect(record.firstEventAt).toBeUndefined()
  for (const choice of [0, 1]) say(choice, COMPLETED)
  const { completion } = await answer
  expect(completion.choices.map(({ message }) => message.content)).toEqual(['Hi', 'Hi'])
  expect(record.firstEventAt).toBe(5)
  expect(record.usage).toMatchObject({ input: 6, output: 4 })
})

test('an answer that comes in one event may have more parts than a function has arguments', async () => {
  const { answer, say, begun } = begin(1)
  await begun()
  const output = Array.from({ length: 150_000 }, (_, index) => callItem(`call_${index}`, '{}'))
  say(0, { ...COMPLETED, response: { ...COMPLETED.response, output } })
  const { completion } = await answer
  expect(completion.choices[0]?.message.tool_calls).toHaveLength(150_000)
})
