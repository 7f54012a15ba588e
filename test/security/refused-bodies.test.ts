import { once } from 'node:events'
import type { Socket } from 'node:net'
import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { requestLines } from '../support/log-lines.ts'
import { SETTABLE_CLOCK } from '../support/preloads.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { everything, firstAnswer, openConnection } from './raw-connection.ts'

const KEY = { CODEX_PROXY_API_KEY: 'local-secret-4711' }
const MB = 1024 * 1024
const BODY = Buffer.alloc(8 * MB, 'a')
/** A reset connection is a matter of luck: once is not enough to see it. */
const TIMES = 10

const CHAT = 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
const WITH_LENGTH = `${CHAT}Content-Length: ${BODY.length}\r\n\r\n`

let stage: Stage
afterEach(() => stage.close())

/** Sends everything before it reads anything, as Python's http.client does. */
async function sendThenRead(...pieces: (string | Buffer)[]): Promise<string> {
  const socket = await openConnection(stage.proxy.url)
  socket.pause()
  for (const piece of pieces) socket.write(piece)
  await new Promise((resolve) => socket.write('', resolve))
  return await everything(socket.resume())
}

describe('a client that reads only after it has sent 8 MB reads why it was refused', () => {
  const chunk = `${BODY.length.toString(16)}\r\n`

  test.each<[string, Parameters<typeof startStage>[0], number, (string | Buffer)[]]>([
    ['without the client key', { env: KEY }, 401, [WITH_LENGTH, BODY]],
    ['without a login', { auth: null }, 401, [WITH_LENGTH, BODY]],
    ['for another host', {}, 403, [WITH_LENGTH.replace('localhost', 'evil.example'), BODY]],
    ['on a path there is not', {}, 404, [WITH_LENGTH.replace('/v1/chat/completions', '/nothing'), BODY]],
    ['with a body that is no JSON by its type', {}, 415, [WITH_LENGTH.replace('application/json', 'text/html'), BODY]],
    ['beyond the limit', { args: ['--max-body', '1MB'] }, 413, [WITH_LENGTH, BODY]],
    [
      'beyond the limit, in chunks',
      { args: ['--max-body', '1MB'] },
      413,
      [`${CHAT}Transfer-Encoding: chunked\r\n\r\n${chunk}`, BODY, '\r\n0\r\n\r\n'],
    ],
  ])('%s', async (_what, options, status, pieces) => {
    stage = await startStage(options)
    for (let i = 0; i < TIMES; i++) {
      const answer = firstAnswer(await sendThenRead(...pieces))
      expect(answer.status).toBe(status)
      expect(answer.head).toMatch(/connection: close/i)
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: expect.any(String) } })
    }
    expect(stage.upstream.calls()).toEqual([])
  })
})

test('the official client gets the status of every refusal', async () => {
  stage = await startStage({ env: KEY })
  const client = new OpenAI({ baseURL: `${stage.proxy.url}/v1`, apiKey: 'wrong', maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: BODY.toString() }]
  for (let i = 0; i < TIMES; i++) {
    const asked = client.chat.completions.create({ model: 'gpt-5.5', messages })
    await expect(asked).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
  }
})

test('a client that leaves with its refusal, still sending, is logged with it', async () => {
  stage = await startStage({ env: KEY, args: ['--log-level', 'info'] })
  const socket = await openConnection(stage.proxy.url)
  socket.write(WITH_LENGTH)
  await once(socket, 'data')
  socket.destroy()
  await expect.poll(() => requestLines(stage.proxy).at(-1)).toMatchObject({ status: 401, code: 'client_key_invalid' })
})

/** Sends a body that never ends, for as long as the proxy takes it; resolves with how much that was. */
function sendWithoutEnd(socket: Socket): Promise<number> {
  const piece = `${MB.toString(16)}\r\n${'a'.repeat(MB)}\r\n`
  const send = () => {
    while (socket.writable && socket.write(piece));
  }
  socket.on('drain', send)
  send()
  return new Promise((resolve) => socket.once('close', () => resolve(socket.bytesWritten)))
}

test('a refused client that never stops sending is cut off', async () => {
  stage = await startStage({ env: KEY })
  const socket = await openConnection(stage.proxy.url)
  socket.write(`${CHAT}Transfer-Encoding: chunked\r\n\r\n`)
  const [text, sent] = await Promise.all([everything(socket), sendWithoutEnd(socket)])
  expect(firstAnswer(text).status).toBe(401)
  expect(sent).toBeLessThan(1000 * MB)
})

describe('a refused client that goes on with a byte now and then', () => {
  async function drip(): Promise<{ text: Promise<string>; stop: () => void }> {
    const socket = await openConnection(stage.proxy.url)
    const text = everything(socket)
    socket.write(WITH_LENGTH)
    await once(socket, 'data')
    const dripping = setInterval(() => socket.write('a'), 50)
    return { text, stop: () => clearInterval(dripping) }
  }

  test('is cut off by the request timeout, without a second answer', async () => {
    stage = await startStage({ env: KEY, args: ['--request-timeout', '1s'] })
    const { text, stop } = await drip()
    expect((await text).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401'])
    stop()
  })

  test('does not hold up a stop', async () => {
    const env = { ...KEY, NODE_OPTIONS: SETTABLE_CLOCK, MONOTONIC_MS: String(-3600_000) }
    stage = await startStage({ env, args: ['--request-timeout', '1h'] })
    const { proxy } = stage
    const { text, stop } = await drip()
    // By itself it would go on for longer than a test may last: the clock by which it is cut off is set back by an hour.
    proxy.signal('SIGUSR2')
    await expect.poll(() => proxy.stdout()).toContain('clock set')
    expect(await proxy.stop()).toBe(0)
    await text
    stop()
  })
})
