import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGate, type Gate } from '../fake-upstream/answer.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { type FakeUpstream, startFakeUpstream } from '../fake-upstream/server.ts'
import { chatgptAuth } from '../support/auth-files.ts'
import { createHome, type Foreground, type Home, run, startForeground } from '../support/program.ts'

let home: Home
let upstream: FakeUpstream
let env: Record<string, string>
beforeEach(async () => {
  home = await createHome()
  await home.writeAuth(chatgptAuth())
  upstream = await startFakeUpstream()
  env = { CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl }
})
afterEach(async () => {
  await upstream.close()
  await home.remove()
})

const EVENTS = responseEvents([{ text: 'one two three four' }])
const UNTIL_FIRST_DELTA = EVENTS.findIndex(({ type }) => type === 'response.output_text.delta') + 1

/** A chat stream that has begun and waits at the gate. */
async function streamHeldBy(gate: Gate, url: string) {
  gate.release(UNTIL_FIRST_DELTA)
  upstream.enqueue({ events: EVENTS, gate })
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5.5', stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  const reader = (answer.body ?? new ReadableStream()).getReader()
  let text = ''
  const decoder = new TextDecoder()
  const readUntil = async (part: string | undefined) => {
    while (part === undefined || !text.includes(part)) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value, { stream: true })
    }
    return text
  }
  await readUntil('one')
  return { rest: () => readUntil(undefined) }
}

async function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}

async function untilDraining(proxy: Foreground): Promise<void> {
  while (!proxy.stderr().includes('stopping: running answers may finish')) await new Promise(setImmediate)
}

test('stdout has the address alone, a pipe gets the log as JSON, and no run files are written', async () => {
  const proxy = await startForeground([], { home, env })
  expect(await proxy.stop()).toBe(0)
  expect(proxy.stdout()).toMatch(/^codex-api-proxy \S+ listens on http:\/\/127\.0\.0\.1:\d+\/v1\n$/)
  const lines = proxy.stderr().trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).msg)).toContain('listening')
  expect(await readdir(home.path)).not.toContain('.codex-api-proxy')
})

test('SIGTERM lets a running stream finish while new connections are refused', async () => {
  const proxy = await startForeground([], { home, env })
  const gate = createGate()
  const stream = await streamHeldBy(gate, proxy.url)
  proxy.signal('SIGTERM')
  await untilDraining(proxy)
  expect(await isRefused(proxy.url)).toBe(true)
  gate.open()
  const text = await stream.rest()
  expect(text).toContain('four')
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
  expect(await proxy.ended).toBe(0)
})

test('SIGHUP, of a terminal that closes, lets a running stream finish, however often it comes', async () => {
  const proxy = await startForeground([], { home, env })
  const gate = createGate()
  const stream = await streamHeldBy(gate, proxy.url)
  proxy.signal('SIGHUP')
  await untilDraining(proxy)
  proxy.signal('SIGHUP')
  expect(await isRefused(proxy.url)).toBe(true)
  gate.open()
  expect((await stream.rest()).trimEnd().endsWith('data: [DONE]')).toBe(true)
  expect(await proxy.ended).toBe(0)
})

test('a second signal ends at once, and the cut stream is not a complete one', async () => {
  const proxy = await startForeground(['--drain-timeout', '1h'], { home, env })
  const gate = createGate()
  const stream = await streamHeldBy(gate, proxy.url)
  proxy.signal('SIGINT')
  await untilDraining(proxy)
  proxy.signal('SIGINT')
  const rest = await stream.rest()
  expect(rest).toContain('"code":"draining"')
  expect(rest).not.toContain('[DONE]')
  expect(await proxy.ended).toBe(0)
  gate.open()
})

test('answers that take longer than the limit are cut', async () => {
  const proxy = await startForeground(['--drain-timeout', '300ms'], { home, env })
  const gate = createGate()
  const stream = await streamHeldBy(gate, proxy.url)
  proxy.signal('SIGTERM')
  expect(await stream.rest().catch(() => 'cut')).not.toContain('[DONE]')
  expect(await proxy.ended).toBe(0)
  gate.open()
})

test('`stop` waits for a running stream of the background server', async () => {
  const { stdout } = await run(['start', '--port', '0'], { home, env })
  const url = /http:\/\/[^/]+/.exec(stdout)?.[0] ?? ''
  const gate = createGate()
  const stream = await streamHeldBy(gate, url)
  const stopping = run(['stop'], { home, env })
  while (!(await isRefused(url))) await new Promise(setImmediate)
  gate.open()
  expect(await stream.rest()).toContain('[DONE]')
  expect((await stopping).stdout).toMatch(/^Stopped process \d+\.\n$/)
})

test('a second `stop` ends a server that still drains', async () => {
  const { stdout } = await run(['start', '--port', '0'], { home, env })
  const url = /http:\/\/[^/]+/.exec(stdout)?.[0] ?? ''
  const gate = createGate()
  const stream = await streamHeldBy(gate, url)
  const stopping = run(['stop'], { home, env })
  while (!(await isRefused(url))) await new Promise(setImmediate)
  const second = await run(['stop'], { home, env })
  expect([second.code, (await stopping).code]).toEqual([0, 0])
  expect(await stream.rest().catch(() => 'cut')).not.toContain('[DONE]')
  gate.open()
})
