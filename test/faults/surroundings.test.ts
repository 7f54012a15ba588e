import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { createGate } from '../fake-upstream/answer.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { untilRefused } from '../support/loopback.ts'
import { type Stage, startStage } from '../support/stage.ts'

const EVENTS = responseEvents([{ text: 'All of it arrives.' }])
const BODY = { model: 'gpt-5.5', stream: true, messages: [{ role: 'user', content: 'Hi' }] }

let stage: Stage | undefined
afterEach(async () => {
  await stage?.close()
  stage = undefined
})

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
  const open = readdirSync(`/proc/${pid}/fd`).length
  // Each request takes two: the client's connection and the one to upstream.
  execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${open + 11}:1024`])
  const answers = await Promise.all(Array.from({ length: 20 }, () => wholeText(ask(running))))
  expect(answers.some((text) => text !== undefined)).toBe(true)
  expect(answers.some((text) => text === undefined)).toBe(true)

  execFileSync('prlimit', [`--pid=${pid}`, '--nofile=1024:1024'])
  running.upstream.setDefault({ events: EVENTS })
  const after = await Promise.all(Array.from({ length: 20 }, () => wholeText(ask(running))))
  expect(after.every((text) => text !== undefined)).toBe(true)
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
