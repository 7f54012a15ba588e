import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Cancellation } from '../../cancellation.ts'
import { newRequestRecord } from '../../telemetry/request-record.ts'
import type { AnswerBody } from '../../upstream/answer.ts'
import { BodyMemory } from '../../upstream/body-memory.ts'
import type { UpstreamRequest } from '../../upstream/client.ts'
import type { ApiRequest } from '../api-request.ts'
import type { RouteContext } from '../context.ts'
import { RecentMemory } from '../memory/recent-memory.ts'
import { UpstreamCall } from './upstream-call.ts'

const REFUSAL = JSON.stringify({
  detail: "The 'gpt-0' model is not supported when using Codex with a ChatGPT account.",
})

/** An upstream that refuses the model, if nothing else is said, and a list of models that `list` resolves with. */
function refusedCall(
  list: () => Promise<{ models: { slug: string }[] }>,
  {
    text = REFUSAL,
    status = 400,
    headers = {},
    isCut = false,
    sent = (_request: UpstreamRequest) => {},
    abort = () => {},
    asksForSummary = false,
  } = {},
): UpstreamCall {
  const memory = Buffer.from(text)
  const body: Partial<AnswerBody> = {
    abort,
    pipe(sink) {
      sink.data({ memory, ranges: [0, memory.length] })
      if (isCut) sink.fail(new Error('cut'))
      else sink.end()
    },
  }
  const context = {
    upstream: {
      async send(request: UpstreamRequest) {
        sent(request)
        return { status, headers, body }
      },
    },
    catalogue: { forget() {}, remember() {}, list },
    unsummarized: new RecentMemory(() => 0),
    rateLimits: { notice() {} },
    now: () => 0,
  } as unknown as RouteContext
  const request: Partial<ApiRequest> = { record: newRequestRecord('id', 'POST', '/v1/responses', 0), setHeaders() {} }
  return new UpstreamCall(context, request as ApiRequest, {
    route: 'responses',
    credentials: { kind: 'chatgpt', accessToken: 'token', accountId: undefined, fedramp: false },
    model: 'gpt-0',
    asksForSummary,
    wanted: { body: () => [Buffer.from('{}')], headers: { 'x-variant': 'b' }, fallback: undefined },
    memory: new BodyMemory([]),
    headers: { 'x-call': 'a' },
  })
}

const refusalOf = (call: UpstreamCall, cancellation = new Cancellation()) =>
  call.open(cancellation).then(
    () => 'no refusal',
    (error: Error) => error.message,
  )

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('what is sent is JSON, asks for events, and has the headers of the call and of its variant', async () => {
  const sent = vi.fn()
  await refusalOf(refusedCall(async () => ({ models: [] }), { sent }))
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream', 'x-call': 'a', 'x-variant': 'b' }
  // Without the memory nobody would know that it is still read from.
  const memory = expect.any(BodyMemory)
  expect(sent.mock.calls).toEqual([[expect.objectContaining({ method: 'POST', path: '/responses', headers, memory })]])
})

test('without a summary is only asked again where one was asked for', async () => {
  const sent = vi.fn()
  const error = { message: "Unsupported parameter: 'reasoning.summary'.", code: 'unsupported_parameter' }
  await refusalOf(refusedCall(async () => ({ models: [] }), { sent, text: JSON.stringify({ error }) }))
  expect(sent).toHaveBeenCalledTimes(1)
})

test('after another refusal than that of the summary nothing is asked again', async () => {
  const sent = vi.fn()
  const text = JSON.stringify({ error: { message: 'No.', code: 'invalid_value' } })
  expect(await refusalOf(refusedCall(async () => ({ models: [] }), { sent, text, asksForSummary: true }))).toBe('No.')
  expect(sent).toHaveBeenCalledTimes(1)
})

test('an answer that is visible is not asked for again', async () => {
  const sent = vi.fn()
  const call = refusedCall(async () => ({ models: [] }), { sent })
  call.release()
  expect(await refusalOf(call)).toBe('An answer that is visible must not be asked for again.')
  expect(sent).not.toHaveBeenCalled()
})

test('the refusal of a model names those there are', async () => {
  const call = refusedCall(async () => ({ models: [{ slug: 'gpt-1' }, { slug: 'gpt-2' }] }))
  expect(await refusalOf(call)).toContain('This login has gpt-1, gpt-2.')
  const unstopped = refusedCall(async () => ({ models: [{ slug: 'gpt-1' }] }), {
    text: JSON.stringify({ detail: 'Model not found gpt-0' }),
  })
  expect(await refusalOf(unstopped)).toBe('Model not found gpt-0. This login has gpt-1.')
})

test.each([
  ['of which nothing is said', '', 'Upstream refused the credentials.'],
  [
    'that upstream did not even get',
    JSON.stringify({ detail: 'Your login did not make it to this service.' }),
    'Upstream got the request without the login: something on the way removed it.',
  ],
  [
    'for a reason of its own',
    JSON.stringify({ error: { message: 'This account is deactivated', code: 'account_deactivated' } }),
    'Upstream does not accept the credentials in auth.json: This account is deactivated.',
  ],
])('a refused login %s is told in the words there are for it', async (_what, text, message) => {
  expect(await refusalOf(refusedCall(async () => ({ models: [] }), { status: 401, text }))).toBe(message)
})

test('an answer that somebody on the way has compressed is not read, and its request is closed', async () => {
  const abort = vi.fn()
  const answer = { status: 200, headers: { 'content-encoding': 'br' }, abort }
  expect(await refusalOf(refusedCall(async () => ({ models: [] }), answer))).toContain('compressed (br)')
  expect(abort).toHaveBeenCalledOnce()
})

test('another refusal names none', async () => {
  const text = JSON.stringify({ detail: 'No.' })
  expect(await refusalOf(refusedCall(async () => ({ models: [{ slug: 'gpt-1' }] }), { text }))).toBe('No.')
})

test('a refusal is understood though it is long', async () => {
  const text = REFUSAL.replace('{', `{"debug": "${'x'.repeat(100_000)}",`)
  expect(await refusalOf(refusedCall(async () => ({ models: [] }), { text }))).toContain("The 'gpt-0' model is not")
})

test('of a refusal that breaks off its status is told', async () => {
  const call = refusedCall(async () => ({ models: [] }), { isCut: true })
  await expect(call.open(new Cancellation())).rejects.toMatchObject({
    status: 400,
    message: expect.stringMatching(/^Upstream answered 400/),
  })
})

test('the refusal of a model waits two seconds for a list and no longer', async () => {
  let told = ''
  const refusal = refusalOf(refusedCall(() => new Promise(() => {}))).then((message) => {
    told = message
  })
  await vi.advanceTimersByTimeAsync(1999)
  expect(told).toBe('')
  await vi.advanceTimersByTimeAsync(1)
  await refusal
  expect(told).toContain('gpt-0')
  expect(told).not.toContain('This login has')
})

test('the refusal of a model is told without names when there is no list', async () => {
  const told = await refusalOf(refusedCall(() => Promise.reject(new Error('offline'))))
  expect(told).toContain('gpt-0')
  expect(told).not.toContain('This login has')
})
