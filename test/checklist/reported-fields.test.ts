import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../fake-upstream/refusal.ts'
import { requestLines } from '../support/log-lines.ts'
import { CHAT, ROUTES } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { callsDuring } from '../support/upstream-answers.ts'

/** With no effect upstream, and asking for something. */
const ASKING = { temperature: 0.2, top_p: 0.5, metadata: { a: 'b' }, store: true, user: 'someone' }
/** The API's own defaults, and nulls. */
const ASKING_NOTHING = { temperature: 1, top_p: 1, metadata: {}, store: false, user: null, parallel_tool_calls: true }

describe.each(ROUTES)('case 11: %s', (path, body) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage({ args: ['--log-level', 'info'] })
  })
  afterAll(() => stage.close())

  test.each([true, false])('names what had no effect in a header and in the log (stream: %s)', async (stream) => {
    const answer = await stage.post(path, { ...body, ...ASKING, stream })
    await answer.text()
    expect(answer.status).toBe(200)
    const ignored = answer.headers.get('x-codex-proxy-ignored')?.split(', ') ?? []
    expect(ignored.sort()).toEqual(Object.keys(ASKING).sort())
    const id = answer.headers.get('x-codex-proxy-request-id')
    await expect
      .poll(() => requestLines(stage.proxy).find(({ requestId }) => requestId === id)?.ignored)
      .toEqual(expect.arrayContaining(Object.keys(ASKING)))
    for (const name of Object.keys(ASKING).filter((each) => each !== 'store')) {
      expect(stage.upstream.calls().at(-1)?.json).not.toHaveProperty(name)
    }
  })

  test('names it on an answer that is an error too', async () => {
    stage.upstream.enqueue({ status: 400, body: { detail: 'No.' } })
    const answer = await stage.post(path, { ...body, temperature: 0.2 })
    expect(answer.status).toBe(400)
    expect(answer.headers.get('x-codex-proxy-ignored')).toBe('temperature')
  })

  test('names nothing that asks for no more than the default', async () => {
    const answer = await stage.post(path, { ...body, ...ASKING_NOTHING })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-codex-proxy-ignored')).toBeNull()
  })
})

describe.each(ROUTES)('case 11: %s with --strict', (path, body) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage({ args: ['--strict'] })
  })
  afterAll(() => stage.close())

  test.each(Object.entries(ASKING))('refuses %s by its name, and sends nothing', async (name, value) => {
    const request = { ...body, [name]: value }
    const [answer, calls] = await callsDuring(stage.upstream, () => stage.post(path, request))
    expect([answer.status, calls]).toEqual([400, 0])
    // Whoever can't change the client needs to know which setting to change.
    const message = expect.stringContaining(
      `'${name}' is not supported with a ChatGPT login (refused because of \`--strict\`)`,
    )
    expect(await answer.json()).toMatchObject({
      error: { type: 'invalid_request_error', code: 'unsupported_parameter', param: name, message },
    })
  })

  test('refuses nothing that asks for no more than the default, nor what is emulated', async () => {
    const emulated = path === '/v1/responses' ? {} : { n: 1, stop: ['never'], stream_options: { include_usage: true } }
    const answer = await stage.post(path, { ...body, ...ASKING_NOTHING, ...emulated, stream: true })
    expect(answer.status).toBe(200)
    await answer.text()
  })
})

describe('case 104, 115: --reasoning-summary none', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage({ args: ['--reasoning-summary', 'none'] })
  })
  afterAll(() => stage.close())

  test.each([true, false])('asks for no summaries and shows none (stream: %s)', async (stream) => {
    stage.upstream.enqueue({ fixture: 'chatgpt-reasoning-stream' })
    const text = await (await stage.post('/v1/chat/completions', { ...CHAT, stream, reasoning_effort: 'high' })).text()
    expect(stage.upstream.calls().at(-1)?.json).toHaveProperty('reasoning', { effort: 'high' })
    expect(text).not.toContain('reasoning_content')
  })
})

test('case 104, 112: by default summaries are asked for, and shown beside the content', async () => {
  const stage = await startStage()
  try {
    const answer = await stage.post('/v1/chat/completions', CHAT)
    expect(stage.upstream.calls().at(-1)?.json).toMatchObject({ reasoning: { summary: 'auto' } })
    const { message } = ((await answer.json()) as { choices: [{ message: Json }] }).choices[0]
    expect(message.reasoning_content).toContain('no model behind it')
    expect(message.content).toBe('This is a simulated answer, streamed word by word.')
  } finally {
    await stage.close()
  }
})
