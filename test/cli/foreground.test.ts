import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FakeUpstream } from '../fake-upstream/server.ts'
import { type CommandStage, startCommandStage } from '../support/command-stage.ts'
import { startHeldStream } from '../support/held-stream.ts'
import { isRefused, untilRefused } from '../support/loopback.ts'
import { type Foreground, type Home, run, started, startForeground } from '../support/program.ts'

let stage: CommandStage
let home: Home
let upstream: FakeUpstream
let env: Record<string, string>
beforeEach(async () => {
  stage = await startCommandStage()
  ;({ home, upstream, env } = stage)
})
afterEach(() => stage.close())

async function untilLogged(proxy: Foreground, text: string): Promise<void> {
  while (!proxy.stderr().includes(text)) await new Promise(setImmediate)
}

const untilDraining = (proxy: Foreground) => untilLogged(proxy, 'stopping: running answers may finish')

test('stdout has the address alone, a pipe gets the log as JSON, and no run files are written', async () => {
  const proxy = await startForeground([], { home, env })
  expect(await proxy.stop()).toBe(0)
  expect(proxy.stdout()).toMatch(/^codex-api-proxy \S+ listens on http:\/\/127\.0\.0\.1:\d+\/v1\n$/)
  const lines = proxy.stderr().trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).msg)).toContain('listening')
  expect(await readdir(home.path)).not.toContain('.codex-api-proxy')
})

test('without a usable login the log says at once what to do', async () => {
  await home.writeAuth('{')
  const proxy = await startForeground([], { home, env })
  await untilLogged(proxy, 'Sign in again with `codex login`')
  const line = proxy
    .stderr()
    .split('\n')
    .find((text) => text.includes('Sign in'))
  expect(JSON.parse(line ?? '')).toMatchObject({ level: 'warn', code: 'credentials_malformed' })
  expect(await proxy.stop()).toBe(0)
})

test('SIGTERM lets a running stream finish while new connections are refused', async () => {
  const proxy = await startForeground([], { home, env })
  const stream = await startHeldStream(upstream, proxy.url)
  proxy.signal('SIGTERM')
  await untilDraining(proxy)
  expect(await isRefused(proxy.url)).toBe(true)
  stream.gate.open()
  const text = await stream.rest()
  expect(text).toContain('four')
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
  expect(await proxy.ended).toBe(0)
})

test('SIGHUP, of a terminal that closes, lets a running stream finish, however often it comes', async () => {
  const proxy = await startForeground([], { home, env })
  const stream = await startHeldStream(upstream, proxy.url)
  proxy.signal('SIGHUP')
  await untilDraining(proxy)
  proxy.signal('SIGHUP')
  expect(await isRefused(proxy.url)).toBe(true)
  // Before it passes these on it has seen the signal.
  for (const word of ['two', 'three']) {
    stream.gate.release()
    await stream.until(word)
  }
  stream.gate.open()
  expect((await stream.rest()).trimEnd().endsWith('data: [DONE]')).toBe(true)
  expect(await proxy.ended).toBe(0)
})

test('a second signal ends at once, and the cut stream is not a complete one', async () => {
  const proxy = await startForeground(['--drain-timeout', '1h'], { home, env })
  const stream = await startHeldStream(upstream, proxy.url)
  proxy.signal('SIGINT')
  await untilDraining(proxy)
  proxy.signal('SIGINT')
  const rest = await stream.rest()
  expect(rest).toContain('"code":"draining"')
  expect(rest).not.toContain('[DONE]')
  expect(await proxy.ended).toBe(0)
  stream.gate.open()
})

test('answers that take longer than the limit are cut', async () => {
  const proxy = await startForeground(['--drain-timeout', '300ms'], { home, env })
  const stream = await startHeldStream(upstream, proxy.url)
  proxy.signal('SIGTERM')
  expect(await stream.rest()).toContain('"code":"draining"')
  expect(await proxy.ended).toBe(0)
  stream.gate.open()
})

test('`stop` waits for a running stream of the background server', async () => {
  const { url } = started(await run(['start', '--port', '0'], { home, env }))
  const stream = await startHeldStream(upstream, url)
  const stopping = run(['stop'], { home, env })
  await untilRefused(url)
  stream.gate.open()
  expect(await stream.rest()).toContain('[DONE]')
  expect((await stopping).stdout).toMatch(/^Stopped process \d+\.\n$/)
})

test('a second `stop` ends a server that still drains', async () => {
  const { url } = started(await run(['start', '--port', '0'], { home, env }))
  const stream = await startHeldStream(upstream, url)
  const stopping = run(['stop'], { home, env })
  await untilRefused(url)
  const second = await run(['stop'], { home, env })
  expect([second.code, (await stopping).code]).toEqual([0, 0])
  expect(await stream.rest().catch(() => 'cut')).not.toContain('[DONE]')
  stream.gate.open()
})
