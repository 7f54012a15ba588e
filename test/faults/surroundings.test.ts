import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { createGate } from '../fake-upstream/answer.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { openConnection } from '../security/raw-connection.ts'
import { untilRefused } from '../support/loopback.ts'
import { type Stage, startStage } from '../support/stage.ts'

const EVENTS = responseEvents([{ text: 'All of it arrives.' }])
const BODY = { model: 'gpt-5.5', stream: true, messages: [{ role: 'user', content: 'Hi' }] }

let stage: Stage | undefined
afterEach(async () => {
  await stage?.close()
  stage = undefined
})

/** A frame with one block that is not compressed (RFC 8878 §3.1.1); a body up to 255 bytes. */
function zstdFrame(body: string): Buffer {
  const header = Buffer.alloc(3)
  header.writeUIntLE((body.length << 3) | 1, 0, 3)
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, body.length]), header, Buffer.from(body)])
}

function zstdRequest(): Buffer {
  const body = zstdFrame(JSON.stringify({ ...BODY, stream: false }))
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: localhost',
    'content-type: application/json',
    'content-encoding: zstd',
    `content-length: ${body.length}`,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

const ZSTD_REQUEST = zstdRequest()

/** The number that the next descriptor gets: whoever started the process may have left it one with a high number. */
function nextDescriptor(pid: number): number {
  const taken = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
  let next = 0
  while (taken.has(next)) next++
  return next
}

/** Leaves the process room for `more` descriptors. */
function leaveDescriptors(pid: number, more: number): void {
  execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${nextDescriptor(pid) + more}:1024`])
}

const ask = ({ post }: Stage) => post('/v1/chat/completions', BODY)

/** The whole stream, or nothing when the connection or the answer failed. */
async function wholeText(answer: Promise<Response>): Promise<string | undefined> {
  const text = await answer.then((response) => response.text()).catch(() => '')
  return text.endsWith('data: [DONE]\n\n') ? text : undefined
}

test('out of file descriptors some requests fail, the program does not, and afterwards all is well', async () => {
  stage = await startStage()
  const running = stage
  running.upstream.setDefault({ events: EVENTS })
  expect(await wholeText(ask(running))).toBeDefined()
  const { pid } = running.proxy
  // Each request takes two: the client's connection and the one to upstream.
  leaveDescriptors(pid, 11)
  const answers = await Promise.all(Array.from({ length: 20 }, () => wholeText(ask(running))))
  expect(answers.some((text) => text !== undefined)).toBe(true)
  expect(answers.some((text) => text === undefined)).toBe(true)

  execFileSync('prlimit', [`--pid=${pid}`, '--nofile=1024:1024'])
  running.upstream.setDefault({ events: EVENTS })
  const after = await Promise.all(Array.from({ length: 20 }, () => wholeText(ask(running))))
  expect(after.every((text) => text !== undefined)).toBe(true)
})

test('out of file descriptors at the first body in zstd: the next one is decoded', async () => {
  stage = await startStage()
  const { upstream, proxy } = stage
  // Until then the program loads its parts.
  await upstream.waitForLookUp()
  const first = await openConnection(proxy.url)
  // A connection is open before the program has taken it, for which it needs a descriptor.
  first.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await once(first, 'data')
  leaveDescriptors(proxy.pid, 0)
  first.write(ZSTD_REQUEST)
  await once(first, 'data')
  first.destroy()

  execFileSync('prlimit', [`--pid=${proxy.pid}`, '--nofile=1024:1024'])
  const second = await openConnection(proxy.url)
  second.write(ZSTD_REQUEST)
  const [answer] = await once(second, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
  second.destroy()
})

test('SIGTERM under load: what runs is answered whole, then the program ends by itself', async () => {
  stage = await startStage({ env: { CODEX_PROXY_DRAIN_TIMEOUT: '10m' } })
  const running = stage
  const gate = createGate()
  running.upstream.setDefault({ events: EVENTS, gate })
  const answers = Array.from({ length: 30 }, () => wholeText(ask(running)))
  await running.upstream.waitForCall(30)
  running.proxy.signal('SIGTERM')
  await untilRefused(running.proxy.url)
  gate.open()
  const texts = await Promise.all(answers)
  expect(texts.every((text) => text !== undefined)).toBe(true)
  expect(await running.proxy.ended).toBe(0)
})
