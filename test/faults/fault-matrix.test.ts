import { readdirSync } from 'node:fs'
import OpenAI, { APIError } from 'openai'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Answer } from '../fake-upstream/answer.ts'
import { encodeEvents, responseEvents } from '../fake-upstream/event-stream.ts'
import { apiKeyAuth, chatgptAuth } from '../support/auth-files.ts'
import { type Stage, startStage } from '../support/stage.ts'

const LIMITS = ['--idle-timeout', '1s', '--header-timeout', '1s', '--max-event', '64k']
const TEXT = 'Nothing is lost, not even é, 漢字 and 🙂.'
const EVENTS = responseEvents([{ text: TEXT }])
const BYTES = Buffer.concat(encodeEvents(EVENTS))
/** In the middle of a delta, after others have been sent. */
const MIDDLE = BYTES.indexOf('漢') + 1
/** Before anything a client can see. */
const EARLY = BYTES.indexOf('response.in_progress')

type Outcome =
  | { readonly text: string }
  /** What the client is told, as an HTTP answer or, once text was streamed, in the stream. */
  | { readonly status: number; readonly code: string; readonly midStream?: true; readonly calls?: number }

type Fault = { readonly name: string; readonly answer: Answer; readonly outcome: Outcome }

/** With a ChatGPT login; the answer is the same on both routes, streamed or not, but where it was cut. */
const FAULTS: readonly Fault[] = [
  {
    name: 'a reset before the answer',
    answer: { connection: 'reset' },
    outcome: { status: 502, code: 'upstream_unreachable', calls: 3 },
  },
  {
    name: 'case 178: no answer at all',
    answer: { connection: 'hang' },
    outcome: { status: 504, code: 'upstream_timeout', calls: 1 },
  },
  {
    name: 'a cut before anything was visible',
    answer: { events: EVENTS, dropAfter: EARLY },
    outcome: { status: 502, code: 'upstream_stream_cut', calls: 3 },
  },
  {
    name: 'a cut within an event',
    answer: { events: EVENTS, dropAfter: MIDDLE },
    outcome: { status: 502, code: 'upstream_stream_cut', midStream: true },
  },
  {
    name: 'a reset within an event',
    answer: { events: EVENTS, resetAfter: MIDDLE },
    outcome: { status: 502, code: 'upstream_stream_cut', midStream: true },
  },
  {
    name: 'case 172, 180: silence within an event',
    answer: { events: EVENTS, stallAfter: MIDDLE },
    outcome: { status: 504, code: 'upstream_timeout', midStream: true },
  },
  {
    name: 'an end without a last event',
    answer: { events: EVENTS.slice(0, -1) },
    outcome: { status: 502, code: 'upstream_stream_cut', midStream: true },
  },
  {
    name: 'an end within an event, where nothing tells that the body was cut',
    answer: { status: 200, body: BYTES.subarray(0, MIDDLE) },
    outcome: { status: 502, code: 'upstream_stream_cut', midStream: true },
  },
  {
    name: 'such an end within the last event',
    answer: { status: 200, body: BYTES.subarray(0, -20) },
    outcome: { status: 502, code: 'upstream_stream_cut', midStream: true },
  },
  {
    name: 'a reset after the last event',
    answer: { events: EVENTS, resetAfter: BYTES.length },
    outcome: { text: TEXT },
  },
  {
    name: 'a stream that stays open after the last event',
    answer: { events: EVENTS, keepOpenAfterEnd: true },
    outcome: { text: TEXT },
  },
  {
    name: 'bytes cut anywhere, within characters too',
    answer: { events: EVENTS, cut: 'every-byte' },
    outcome: { text: TEXT },
  },
  { name: 'case 122: no content type', answer: { events: EVENTS, noContentType: true }, outcome: { text: TEXT } },
  {
    name: 'garbage for a stream',
    answer: { status: 200, body: 'x'.repeat(1000) },
    outcome: { status: 502, code: 'upstream_stream_cut', calls: 3 },
  },
  {
    name: 'a page with a 200, as gateways of companies send it',
    answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>This site is blocked.</html>' },
    outcome: { status: 502, code: 'upstream_blocked', calls: 1 },
  },
  {
    name: 'such a page with its type in capitals',
    answer: { status: 200, headers: { 'content-type': 'Text/HTML;Charset=UTF-8' }, body: '<html>Blocked.</html>' },
    outcome: { status: 502, code: 'upstream_blocked', calls: 1 },
  },
  {
    name: 'case 122: a stream that is called a page',
    answer: { events: EVENTS, headers: { 'content-type': 'text/html' } },
    outcome: { text: TEXT },
  },
  {
    name: 'an endless line',
    answer: { status: 200, body: `data: ${'x'.repeat(200_000)}` },
    outcome: { status: 502, code: 'upstream_invalid', calls: 1 },
  },
  {
    name: 'a challenge page',
    answer: {
      status: 403,
      headers: { 'content-type': 'text/html', 'cf-ray': 'abc-FRA' },
      body: '<!DOCTYPE html><title>Just a moment...</title>',
    },
    outcome: { status: 502, code: 'upstream_blocked', calls: 1 },
  },
  {
    name: 'a gateway page',
    answer: { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad gateway</html>' },
    outcome: { status: 502, code: 'upstream_error', calls: 3 },
  },
  { name: 'an empty 500', answer: { status: 500 }, outcome: { status: 500, code: 'upstream_error', calls: 1 } },
  {
    name: 'a refusal in detail',
    answer: { status: 400, body: { detail: 'Unsupported parameter: x' } },
    outcome: { status: 400, code: 'unsupported_parameter', calls: 1 },
  },
]

const ROUTES = ['chat', 'responses'] as const
type RouteName = (typeof ROUTES)[number]

function bodyFor(route: RouteName, stream: boolean): object {
  if (route === 'chat') return { model: 'gpt-5.5', stream, messages: [{ role: 'user', content: 'Hi' }] }
  return { model: 'gpt-5.5', stream, input: 'Hi' }
}

const pathOf = (route: RouteName) => (route === 'chat' ? '/v1/chat/completions' : '/v1/responses')

/** The text the official client gets; throws what it throws. */
async function textByClient(client: OpenAI, route: RouteName, stream: boolean): Promise<string> {
  const body = bodyFor(route, stream)
  let text = ''
  if (route === 'chat') {
    if (!stream)
      return (
        (await client.chat.completions.create(body as OpenAI.ChatCompletionCreateParamsNonStreaming)).choices[0]
          ?.message.content ?? ''
      )
    for await (const chunk of await client.chat.completions.create(
      body as OpenAI.ChatCompletionCreateParamsStreaming,
    )) {
      text += chunk.choices[0]?.delta.content ?? ''
    }
    return text
  }
  if (!stream)
    return (await client.responses.create(body as OpenAI.Responses.ResponseCreateParamsNonStreaming)).output_text
  for await (const event of await client.responses.create(body as OpenAI.Responses.ResponseCreateParamsStreaming)) {
    if (event.type === 'response.output_text.delta') text += event.delta
  }
  return text
}

const openFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length

describe('with a ChatGPT login', () => {
  let stage: Stage
  let filesAtStart: number
  beforeAll(async () => {
    stage = await startStage({ auth: chatgptAuth(), args: LIMITS })
    stage.upstream.setDefault({ events: EVENTS })
    await textByClient(stage.client, 'chat', true)
    filesAtStart = openFiles(stage.proxy.pid)
  })
  afterAll(() => stage.close())

  const cells = FAULTS.flatMap((fault) =>
    ROUTES.flatMap((route) => [true, false].map((stream) => ({ ...fault, route, stream }))),
  )

  test.each(cells)('$name: $route, stream $stream', async ({ answer, outcome, route, stream }) => {
    const before = stage.upstream.calls().length
    stage.upstream.setDefault(answer)
    const [raw, byClient] = await Promise.all([
      stage.post(pathOf(route), bodyFor(route, stream)),
      textByClient(stage.client, route, stream).catch((error: unknown) => error),
    ])
    const bytes = await raw.text()

    if ('text' in outcome) {
      expect(byClient).toBe(TEXT)
      expect(raw.status).toBe(200)
    } else {
      expect(byClient).toBeInstanceOf(APIError)
      expect(byClient).toMatchObject({ code: outcome.code })
      const inStream = outcome.midStream === true && stream
      expect(raw.status).toBe(inStream ? 200 : outcome.status)
      expect(bytes).toContain(`"code":"${outcome.code}"`)
      expect(bytes).not.toContain('[DONE]')
      expect(bytes).not.toMatch(/<html|<!DOCTYPE/i)
      if (outcome.calls !== undefined) expect(stage.upstream.calls().length - before).toBe(2 * outcome.calls)
    }
    stage.upstream.setDefault({ events: EVENTS })
    expect(await textByClient(stage.client, route, stream)).toBe(TEXT)
  })

  test('after all of it nothing runs any more, and no connection or file is left over', async () => {
    const metrics = (await (await stage.send('/metrics')).json()) as Record<string, number>
    expect(metrics.requests_in_flight).toBe(0)
    expect(metrics.requests_total).toBe(
      (metrics.requests_ok ?? 0) + (metrics.requests_error ?? 0) + (metrics.requests_aborted ?? 0),
    )
    // One kept-alive connection to each side may stand where there was one at the start. Under load a third may still be
    // closing, or be kept by a client for its few seconds.
    await vi.waitFor(() => expect(openFiles(stage.proxy.pid)).toBeLessThanOrEqual(filesAtStart + 2), 15_000)
  })
})

describe('with an API key', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage({ auth: apiKeyAuth(), args: LIMITS })
  })
  afterAll(() => stage.close())

  test.each(ROUTES)('%s: an upstream error passes as it is', async (route) => {
    const body = { error: { message: 'Slow down.', type: 'requests', param: null, code: 'rate_limit_exceeded' } }
    stage.upstream.setDefault({ status: 429, headers: { 'retry-after': '7' }, body })
    const raw = await stage.post(pathOf(route), bodyFor(route, true))
    expect(raw.status).toBe(429)
    expect(raw.headers.get('retry-after')).toBe('7')
    expect(await raw.json()).toEqual(body)
    await expect(textByClient(stage.client, route, true)).rejects.toBeInstanceOf(OpenAI.RateLimitError)
  })

  test.each(ROUTES)('%s: a stream that breaks is a broken connection, not an end', async (route) => {
    stage.upstream.setDefault({ events: EVENTS, dropAfter: MIDDLE })
    await expect(stage.post(pathOf(route), bodyFor(route, true)).then((raw) => raw.text())).rejects.toThrow()
    await expect(textByClient(stage.client, route, true)).rejects.toThrow()
  })

  test.each(ROUTES)('case 177: %s: a reset before the answer is retried, then told', async (route) => {
    const before = stage.upstream.calls().length
    stage.upstream.setDefault({ connection: 'reset' })
    const raw = await stage.post(pathOf(route), bodyFor(route, true))
    expect(raw.status).toBe(502)
    expect(await raw.json()).toMatchObject({ error: { code: 'upstream_unreachable' } })
    expect(stage.upstream.calls().length - before).toBe(3)
  })

  test.each(ROUTES)('case 178: %s: no answer within the limit is a 504', async (route) => {
    stage.upstream.setDefault({ connection: 'hang' })
    const raw = await stage.post(pathOf(route), bodyFor(route, false))
    expect(raw.status).toBe(504)
    expect(await raw.json()).toMatchObject({ error: { code: 'upstream_timeout' } })
  })
})
