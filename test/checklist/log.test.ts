import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, createGate } from '../fake-upstream/answer.ts'
import { type Item, responseEvents } from '../fake-upstream/event-stream.ts'
import { startTokenIssuer, type TokenIssuer } from '../fake-upstream/token-issuer.ts'
import { apiKeyAuth } from '../support/auth-files.ts'
import { type LogLine, logLines, requestLines } from '../support/log-lines.ts'
import { run, started } from '../support/program.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { watchAnswer } from '../support/watched-answer.ts'

/** Each of them private, and found nowhere else. */
const PRIVATE = {
  prompt: 'what-the-user-asked',
  instructions: 'what-the-system-said',
  toolResult: 'what-the-tool-found',
  image: 'aW1hZ2Utb2YtdGhlLXVzZXI',
  answer: 'what-the-model-said',
  reasoning: 'what-the-model-thought',
  toolCall: 'what-the-model-called-for',
  clientKey: 'key-of-the-clients',
  wrongKey: 'key-of-a-stranger',
  clientCookie: 'cookie-of-the-client',
  proxyPassword: 'password-of-the-proxy',
  encrypted: 'encrypted-rs_',
  upstreamCookie: '__cf_bm=fake',
} as const

const ITEMS: readonly Item[] = [
  { reasoning: [PRIVATE.reasoning] },
  { text: PRIVATE.answer },
  { call: 'look_up', arguments: { of: PRIVATE.toolCall }, callId: 'call_1' },
]
const EVENTS = responseEvents(ITEMS)
const CHAT = {
  model: 'gpt-5.5',
  messages: [
    { role: 'system', content: PRIVATE.instructions },
    {
      role: 'user',
      content: [
        { type: 'text', text: PRIVATE.prompt },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PRIVATE.image}` } },
      ],
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look_up', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: PRIVATE.toolResult },
  ],
  temperature: 0.3,
}
const RESPONSES = { model: 'gpt-5.5', instructions: PRIVATE.instructions, input: PRIVATE.prompt }
const CALLS = [
  ['/v1/chat/completions', CHAT],
  ['/v1/chat/completions', { ...CHAT, stream: true }],
  ['/v1/responses', RESPONSES],
  ['/v1/responses', { ...RESPONSES, stream: true }],
] as const

let issuer: TokenIssuer
let stage: Stage

beforeEach(async () => {
  issuer = await startTokenIssuer()
})
afterEach(async () => {
  await stage.close()
  await issuer.close()
})

async function start(level: 'info' | 'debug'): Promise<void> {
  stage = await startStage({
    auth: issuer.login(),
    args: [
      ...['--log-level', level, '--api-key', PRIVATE.clientKey, '--header-timeout', '1s', '--max-body', '64k'],
      ...['--proxy', `http://someone:${PRIVATE.proxyPassword}@127.0.0.1:9`],
    ],
    env: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: issuer.url },
    upstream: { acceptToken: (token) => issuer.accepts(token) },
  })
}

/** What a client with the key sends, its cookie with it; a broken answer is as good as any. */
async function send(url: string, path: string, init: RequestInit = {}): Promise<string> {
  const headers = {
    authorization: `Bearer ${PRIVATE.clientKey}`,
    cookie: `session=${PRIVATE.clientCookie}`,
    'content-type': 'application/json',
    ...init.headers,
  }
  return await fetch(`${url}${path}`, { ...init, headers }).then(
    (answer) => answer.text().catch(() => 'cut off'),
    () => 'no answer',
  )
}

const post = (url: string, path: string, body: unknown, headers = {}) =>
  send(url, path, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })

/** Successes, refusals of ours and of upstream, and faults that tell what they should not. */
async function everyKindOfRequest(url: string): Promise<void> {
  const { upstream } = stage
  const telling = () => `Bearer ${issuer.secrets().join(' ')} for ${Object.values(PRIVATE).join(' ')}`
  const answers: Answer[] = [
    { events: EVENTS },
    { events: responseEvents(ITEMS, { end: 'failed', error: { code: 'server_error', message: telling() } }) },
    { events: responseEvents([], { end: 'failed', error: { code: 'invalid_prompt', message: telling() } }) },
    { events: EVENTS, dropAfter: 1500 },
    { events: EVENTS, resetAfter: 1500 },
    { status: 400, body: { error: { message: telling(), type: 'invalid_request_error', code: 'invalid_value' } } },
    { status: 400, body: { detail: telling() } },
    { status: 429, body: { error: { message: telling(), type: 'usage_limit_reached', resets_in_seconds: 5 } } },
    { status: 500, body: telling() },
    { status: 403, headers: { 'cf-mitigated': 'challenge' }, body: `<html>${telling()}</html>` },
    { status: 200, body: telling() },
    { connection: 'reset' },
    { connection: 'hang' },
  ]
  for (const answer of answers) {
    upstream.setDefault(answer)
    await Promise.all(CALLS.map(([path, body]) => post(url, path, body)))
  }
  upstream.setDefault({ events: EVENTS })
  await post(url, '/v1/chat/completions', { ...CHAT, n: 3, stop: [PRIVATE.answer.slice(0, 6)] })
  await send(url, '/v1/models')

  for (const body of [
    `{"model":"gpt-5.5","messages":"${PRIVATE.prompt}"`,
    { ...CHAT, messages: [{ role: PRIVATE.prompt, content: PRIVATE.prompt }] },
    { ...CHAT, messages: [{ role: 'tool', tool_call_id: PRIVATE.toolResult, content: PRIVATE.toolResult }] },
    { ...CHAT, [PRIVATE.prompt.replaceAll('-', '_')]: PRIVATE.prompt, padding: 'x'.repeat(100_000) },
  ]) {
    await post(url, '/v1/chat/completions', body)
    await post(url, '/v1/responses', body)
  }
  await post(url, '/v1/chat/completions', CHAT, { authorization: `Bearer ${PRIVATE.wrongKey}` })
  await post(url, '/v1/chat/completions', CHAT, { 'content-type': 'text/plain' })
  await send(url, `/v1/files/${PRIVATE.prompt}?key=${PRIVATE.clientKey}`)
  await send(url, `/${PRIVATE.prompt}`)
  await leave(url)
  await refreshes(url)
}

/** A client that leaves in the middle. */
async function leave(url: string): Promise<void> {
  const gate = createGate()
  gate.release(8)
  stage.upstream.setDefault({ events: EVENTS, gate })
  const authorization = { authorization: `Bearer ${PRIVATE.clientKey}` }
  const answer = await watchAnswer(url, '/v1/chat/completions', { ...CHAT, stream: true }, authorization)
  answer.leave()
  await stage.upstream.calls().at(-1)?.aborted
  gate.open()
}

/** A login that is refreshed, then one that can't be. */
async function refreshes(url: string): Promise<void> {
  stage.upstream.setDefault({ events: EVENTS })
  const fresh = issuer.login()
  issuer.revoke(fresh.tokens.access_token)
  await stage.home.writeAuth(fresh)
  await post(url, '/v1/chat/completions', CHAT)
  expect(issuer.requests.length).toBeGreaterThan(0)

  await stage.home.writeAuth(issuer.login({ lifetimeMs: -60_000 }))
  const message = `${issuer.secrets().join(' ')} was used already`
  issuer.answerNext(401, { error: { code: 'refresh_token_reused', message } })
  await post(url, '/v1/chat/completions', CHAT)
}

/** Access, refresh and id tokens that were ever given out, and what else is private. */
const secrets = () => [...issuer.secrets(), ...Object.values(PRIVATE)]
const found = (text: string) => secrets().filter((secret) => text.includes(secret))

async function probes(url: string): Promise<string> {
  const texts = await Promise.all(['/health', '/ready', '/metrics'].map((path) => send(url, path)))
  expect(texts[0]).toContain('"credentials"')
  return texts.join('\n')
}

describe('what is written at info holds no prompt, answer or secret', () => {
  test('in the foreground: stdout, stderr, /health and /metrics', async () => {
    await start('info')
    await everyKindOfRequest(stage.proxy.url)
    expect(found(await probes(stage.proxy.url))).toEqual([])
    await stage.proxy.stop()
    expect(requestLines(stage.proxy).length).toBeGreaterThan(60)
    expect(new Set(requestLines(stage.proxy).map(({ status }) => status))).toEqual(
      new Set([200, 400, 401, 404, 413, 415, 429, 499, 500, 502, 504]),
    )
    expect(found(stage.proxy.output())).toEqual([])
  })

  test('in the background: its log file, and what the commands say of it', async () => {
    await start('info')
    const options = { home: stage.home, env: backgroundEnv() }
    const args = ['--port', '0', '--api-key', PRIVATE.clientKey, '--header-timeout', '1s', '--max-body', '64k']
    const said = await run(['start', ...args], options)
    const { url } = started(said)
    await everyKindOfRequest(url)

    const texts = [said.stdout, said.stderr, await probes(url)]
    for (const command of [
      ['status', '--json'],
      ['status', '--verbose'],
      ['doctor'],
      ['logs', '-n', '1000'],
      ['clients'],
    ]) {
      const { stdout, stderr } = await run(command, options)
      texts.push(stdout, stderr)
    }
    await run(['stop'], options)
    const log = await readFile(join(stage.home.runFolder, 'codex-api-proxy.log'), 'utf8')
    expect(log.match(/request finished/g)?.length).toBeGreaterThan(60)
    expect(found(log)).toEqual([])
    expect(found(texts.join('\n'))).toEqual([])
  })
})

test.each(CALLS)('when something that a client can see came is told: %s', async (path, body) => {
  await start('info')
  const gate = createGate()
  gate.release(EVENTS.findIndex(({ type }) => type === 'response.in_progress') + 1)
  stage.upstream.setDefault({ events: EVENTS, gate })
  const answered = post(stage.proxy.url, path, body)
  await expect.poll(() => stage.upstream.calls()).toHaveLength(1)
  const arrived = performance.now()
  // Others take their time, and by then what comes before has been read.
  for (let other = 0; other < 50; other++) await (await fetch(`${stage.proxy.url}/metrics`)).text()
  const wait = performance.now() - arrived
  gate.open()
  await answered
  await expect.poll(() => requestLines(stage.proxy)).toHaveLength(1)
  const [line] = requestLines(stage.proxy)
  expect(line?.firstEventMs).toBeGreaterThanOrEqual(Math.floor(wait))
  expect(line?.firstEventMs).toBeLessThanOrEqual(Number(line?.totalMs))
})

test('when the first event came is told also of a stream that failed in the same read', async () => {
  await start('info')
  const error = { code: 'server_error', message: 'Something broke.' }
  const events = responseEvents(ITEMS, { end: 'failed', error }).map((event) => `data: ${JSON.stringify(event)}\n\n`)
  stage.upstream.setDefault({ status: 200, headers: { 'content-type': 'text/event-stream' }, body: events.join('') })
  expect(await post(stage.proxy.url, '/v1/chat/completions', { ...CHAT, stream: true })).toContain(PRIVATE.answer)
  await expect.poll(() => requestLines(stage.proxy)).toHaveLength(1)
  expect(requestLines(stage.proxy)[0]).toMatchObject({ status: 502, firstEventMs: expect.any(Number) })
})

/** As the stage starts the foreground, but that its output is a file. */
function backgroundEnv(): Record<string, string> {
  return {
    CODEX_PROXY_DRAIN_TIMEOUT: '100ms',
    CODEX_API_PROXY_CHATGPT_BASE_URL: stage.upstream.chatgptBaseUrl,
    CODEX_API_PROXY_HTTPS_PROXY: `http://someone:${PRIVATE.proxyPassword}@127.0.0.1:9`,
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: issuer.url,
  }
}

const messages = (id: string | null): LogLine[] =>
  logLines(stage.proxy).filter(({ name, requestId }) => name === 'codex_api_proxy.messages' && requestId === id)

describe('at debug', () => {
  test('the start warns that prompts and answers are recorded, and is silent about it at info', async () => {
    await start('debug')
    await stage.close()
    const warnings = logLines(stage.proxy).filter(({ level }) => level === 'warn')
    expect(warnings.map(({ msg }) => msg)).toContain('log level debug records prompts and answers')
    await start('info')
    await stage.proxy.stop()
    expect(stage.proxy.output()).not.toContain('records prompts')
  })

  test.each(CALLS)('%s %j: input and output messages are recorded, no secret with them', async (path, body) => {
    await start('debug')
    stage.upstream.setDefault({ events: EVENTS })
    const authorization = { authorization: `Bearer ${PRIVATE.clientKey}`, cookie: PRIVATE.clientCookie }
    const answer = await watchAnswer(stage.proxy.url, path, body, authorization)
    await answer.ended
    const id = String(answer.headers['x-codex-proxy-request-id'])
    await expect.poll(() => messages(id)).toHaveLength(2)
    const [input, output] = messages(id)
    expect(input).toMatchObject({ level: 'debug', msg: 'input messages' })
    expect(JSON.stringify(input?.input)).toContain(PRIVATE.prompt)
    expect(output).toMatchObject({ level: 'debug', msg: 'output messages' })
    expect(JSON.stringify(output?.output)).toContain(PRIVATE.answer)

    const { clientKey, clientCookie, proxyPassword, upstreamCookie } = PRIVATE
    const hidden = [...issuer.secrets(), clientKey, clientCookie, proxyPassword, upstreamCookie]
    expect(hidden.filter((secret) => stage.proxy.output().includes(secret))).toEqual([])
  })

  test.each([false, true])('of an image its prompt and its size are recorded, stream: %s', async (stream) => {
    await start('debug')
    const answer = { created: 1_795_000_000, data: [{ b64_json: PRIVATE.image }] }
    stage.upstream.setDefault({ status: 200, body: answer })
    const body = { model: 'gpt-image-2', prompt: PRIVATE.prompt, stream }
    await post(stage.proxy.url, '/v1/images/generations', body)
    await expect.poll(() => requestLines(stage.proxy)).toHaveLength(1)
    const [line] = requestLines(stage.proxy)
    expect(line).toMatchObject({ status: 200, stream, firstEventMs: expect.any(Number) })
    expect(messages(String(line?.requestId))).toMatchObject([
      { msg: 'input messages', input: PRIVATE.prompt },
      { msg: 'output messages', output: { bytes: JSON.stringify(answer).length } },
    ])
  })

  test.each([
    ['system messages of a chat', '/v1/chat/completions', CHAT],
    ['instructions', '/v1/responses', RESPONSES],
  ])('%s are recorded with the other messages', async (_what, path, body) => {
    await start('debug')
    const headers = { authorization: `Bearer ${PRIVATE.clientKey}` }
    const answer = await watchAnswer(stage.proxy.url, path, body, headers)
    await answer.ended
    const id = String(answer.headers['x-codex-proxy-request-id'])
    await expect
      .poll(() => messages(id)[0])
      .toMatchObject({ msg: 'input messages', instructions: PRIVATE.instructions })
  })

  test.each(CALLS.filter(([, body]) => 'stream' in body))(
    '%s: the output of a stream is recorded once it has ended',
    async (path, body) => {
      await start('debug')
      const gate = createGate()
      gate.release(EVENTS.length - 1)
      stage.upstream.setDefault({ events: EVENTS, gate })
      const authorization = { authorization: `Bearer ${PRIVATE.clientKey}` }
      const answer = await watchAnswer(stage.proxy.url, path, body, authorization)
      await answer.until(PRIVATE.toolCall)
      const id = String(answer.headers['x-codex-proxy-request-id'])
      await expect.poll(() => messages(id).map(({ msg }) => msg)).toEqual(['input messages'])
      gate.open()
      await answer.ended
      await expect.poll(() => messages(id).map(({ msg }) => msg)).toEqual(['input messages', 'output messages'])
    },
  )
})

describe('with an API key', () => {
  const ANSWER = { choices: [{ index: 0, message: { role: 'assistant', content: PRIVATE.answer } }] }
  const FRAME = `data: ${JSON.stringify(ANSWER)}\n\n`
  /** Beside the messages, where a client keeps its secrets. */
  const BODY = { ...CHAT, tools: [{ type: 'mcp', authorization: PRIVATE.wrongKey }] }

  async function startForwarding(level: 'info' | 'debug'): Promise<void> {
    stage = await startStage({ auth: apiKeyAuth('sk-of-the-user'), args: ['--log-level', level] })
    stage.upstream.setDefault(({ json }) => {
      const isStream = JSON.stringify(json)?.includes('"stream":true') === true
      if (isStream) return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: FRAME, cut: 10 }
      const body = gzipSync(JSON.stringify(ANSWER))
      const type = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
      return { status: 200, headers: { ...type, 'content-length': String(body.length) }, body }
    })
  }

  test.each([false, true])('prompt and answer are recorded at debug, stream: %s', async (stream) => {
    await startForwarding('debug')
    const answer = await stage.post('/v1/chat/completions', { ...BODY, stream })
    const text = await answer.text()
    expect(text).toBe(stream ? FRAME : JSON.stringify(ANSWER))
    expect(stage.upstream.calls().at(-1)?.json).toEqual({ ...BODY, stream })
    await expect.poll(() => messages(answer.headers.get('x-codex-proxy-request-id'))).toHaveLength(2)
    const [input, output] = messages(answer.headers.get('x-codex-proxy-request-id'))
    expect(input).toMatchObject({ level: 'debug', msg: 'input messages', input: CHAT.messages })
    expect(output).toMatchObject({ level: 'debug', msg: 'output messages', output: stream ? FRAME : ANSWER.choices })
    expect(stage.proxy.output()).not.toMatch(new RegExp(`sk-of-the-user|${PRIVATE.wrongKey}`))
  })

  test.each([false, true])(
    'the line at info tells what the answer does, nothing of the body, stream: %s',
    async (stream) => {
      await startForwarding('info')
      await (await stage.post('/v1/chat/completions', { ...BODY, stream })).text()
      await expect.poll(() => requestLines(stage.proxy)).toHaveLength(1)
      const [line] = requestLines(stage.proxy)
      expect(line).toMatchObject({ stream, status: 200 })
      expect(line).not.toHaveProperty('model')
      expect(found(stage.proxy.output())).toEqual([])
    },
  )

  test('without an answer it is not known whether it would have been streamed', async () => {
    await startForwarding('info')
    stage.upstream.setDefault({ connection: 'reset' })
    expect((await stage.post('/v1/embeddings', {})).status).toBe(502)
    await expect.poll(() => requestLines(stage.proxy)).toHaveLength(1)
    expect(requestLines(stage.proxy)[0]).not.toHaveProperty('stream')
  })
})
