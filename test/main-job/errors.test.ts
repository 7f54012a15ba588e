import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer } from '../fake-upstream/answer.ts'
import { encodeEvents, responseEvents } from '../fake-upstream/event-stream.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ args: ['--api-key', 'local-secret'] })
  stage.client.apiKey = 'local-secret'
})
afterAll(() => stage.close())

const chat = (model = 'gpt-5.5', stream = false) =>
  stage.client.chat.completions.create({ model, stream, messages: [{ role: 'user', content: 'Hello' }] })

/** The error a client gets to an answer of upstream, thrown by the call itself, streamed or not. */
async function errorFor(answer: Answer, stream = false): Promise<InstanceType<typeof OpenAI.APIError>> {
  stage.upstream.enqueue(answer)
  const error = await chat('gpt-5.5', stream).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(OpenAI.APIError)
  return error as InstanceType<typeof OpenAI.APIError>
}

test('a wrong client key is an AuthenticationError, and nothing is sent upstream', async () => {
  await stage.upstream.waitForLookUp()
  const before = stage.upstream.requests.length
  const stranger = new OpenAI({ baseURL: `${stage.proxy.url}/v1`, apiKey: 'wrong', maxRetries: 0 })
  await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
  await expect(stranger.models.list()).rejects.toMatchObject({ status: 401, code: 'client_key_invalid' })
  expect(stage.upstream.requests.length).toBe(before)
})

test('a model the account does not have is a NotFoundError', async () => {
  const error = await chat('gpt-4o').catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(OpenAI.NotFoundError)
  expect(error).toMatchObject({ status: 404, code: 'model_not_found', type: 'invalid_request_error' })
})

test.each([false, true])(
  'a usage limit is a RateLimitError that says when to come back (stream: %s)',
  async (stream) => {
    const resetsIn = 3600
    const error = await errorFor(
      {
        status: 429,
        body: {
          error: {
            type: 'usage_limit_reached',
            message: 'The usage limit has been reached',
            plan_type: 'plus',
            resets_at: Math.floor(Date.now() / 1000) + resetsIn,
            resets_in_seconds: resetsIn,
          },
        },
      },
      stream,
    )
    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect(error.code).toBe('usage_limit_reached')
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(resetsIn / 2)
  },
)

test.each([false, true])('a context overflow inside the stream is a BadRequestError (stream: %s)', async (stream) => {
  const failure = { code: 'context_length_exceeded', message: 'Your input exceeds the context window of this model.' }
  const error = await errorFor({ events: responseEvents([], { end: 'failed', error: failure }) }, stream)
  expect(error).toBeInstanceOf(OpenAI.BadRequestError)
  expect(error.code).toBe('context_length_exceeded')
})

test('a refused parameter keeps its param and code', async () => {
  const error = await errorFor({ fixture: 'error-resp-400-schema-json' })
  expect(error).toBeInstanceOf(OpenAI.BadRequestError)
  expect(error).toMatchObject({ code: 'invalid_function_parameters', type: 'invalid_request_error' })
  expect(error.param).toEqual(expect.any(String))
})

test('a detail of the backend becomes the message', async () => {
  const error = await errorFor({ status: 400, body: { detail: 'Unsupported parameter: something' } })
  expect(error).toBeInstanceOf(OpenAI.BadRequestError)
  expect(error.message).toContain('Unsupported parameter: something')
})

test('case 158: a challenge page is a 502 that names the ray and holds no HTML', async () => {
  const page = '<!DOCTYPE html><html><body>Just a moment...</body></html>'
  const headers = { 'content-type': 'text/html', 'cf-mitigated': 'challenge', 'cf-ray': '9abc-FRA' }
  const error = await errorFor({ status: 403, headers, body: page })
  expect(error).toBeInstanceOf(OpenAI.InternalServerError)
  expect(error).toMatchObject({ status: 502, code: 'upstream_blocked' })
  expect(error.message).toContain('9abc-FRA')
  expect(error.message).not.toContain('<')
})

test('an empty answer of a failing upstream is a server error in the same shape', async () => {
  const error = await errorFor({ status: 500, body: '' })
  expect(error).toBeInstanceOf(OpenAI.InternalServerError)
  expect(error.error).toMatchObject({ message: expect.any(String), type: 'server_error', param: null })
})

test('case 164: an overload after the head of the stream keeps its status as long as nothing was sent', async () => {
  // Longer than the proxy itself waits (case 162).
  const failure = { code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 20s.' }
  const error = await errorFor({ events: responseEvents([], { end: 'failed', error: failure }) }, true)
  expect(error).toBeInstanceOf(OpenAI.RateLimitError)
})

test('a failure after the first text is thrown by the stream, with its code', async () => {
  const failure = { code: 'server_error', message: 'The model broke off.' }
  stage.upstream.enqueue({ events: responseEvents([{ text: 'one two' }], { end: 'failed', error: failure }) })
  const seen: string[] = []
  const read = async () => {
    const stream = stage.client.chat.completions.stream({
      model: 'gpt-5.5',
      messages: [{ role: 'user', content: 'Hello' }],
    })
    for await (const { choices } of stream) seen.push(choices[0]?.delta.content ?? '')
  }
  await expect(read()).rejects.toThrow(/The model broke off/)
  expect(seen.join('')).toBe('one two')
})

test.each(['dropAfter', 'resetAfter'] as const)(
  'a connection that breaks inside a stream (%s) is an error and no end, after what was said',
  async (how) => {
    const events = responseEvents([{ text: 'one two three four five' }])
    stage.upstream.enqueue({ events, [how]: Buffer.concat(encodeEvents(events)).indexOf('four') })
    const seen: string[] = []
    const read = async () => {
      const { data } = await stage.client.chat.completions
        .create({ model: 'gpt-5.5', stream: true, messages: [{ role: 'user', content: 'Hello' }] })
        .withResponse()
      for await (const { choices } of data) seen.push(choices[0]?.delta.content ?? '')
    }
    await expect(read()).rejects.toMatchObject({ code: 'upstream_stream_cut' })
    expect(seen.join('')).toBe('one two three ')
  },
)

test('the server goes on after all that', async () => {
  expect((await chat()) as object).toMatchObject({ object: 'chat.completion' })
})
