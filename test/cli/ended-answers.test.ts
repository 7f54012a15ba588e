import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createGate, type Gate } from '../fake-upstream/answer.ts'
import { responseEvents, untilFirstDelta } from '../fake-upstream/event-stream.ts'
import { apiKeyAuth, chatgptAuth } from '../support/auth-files.ts'
import { type LogLine, requestLines } from '../support/log-lines.ts'
import { untilRefused } from '../support/loopback.ts'
import type { Foreground } from '../support/program.ts'
import { ROUTES } from '../support/questions.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { watchAnswer } from '../support/watched-answer.ts'

const EVENTS = responseEvents([{ text: 'one two three four' }])
const ENDED_WITH_ERROR =
  /one.*stopped before the answer was complete\. The proxy is stopping.*"code":"draining"[^\n]*\n\n$/s

let stage: Stage
let gate: Gate
beforeEach(() => {
  gate = createGate()
})
afterEach(async () => {
  gate.open()
  await stage.close()
})

async function started(auth: object): Promise<Foreground> {
  stage = await startStage({ auth, args: ['--drain-timeout', '1ms', '--log-level', 'info'] })
  stage.upstream.enqueue({ events: EVENTS, gate })
  gate.release(untilFirstDelta(EVENTS))
  return stage.proxy
}

/** The line of the request that was ended, once the server has stopped. */
async function lineAfterStop(): Promise<LogLine | undefined> {
  expect(await stage.proxy.ended).toBe(0)
  return requestLines(stage.proxy).at(-1)
}

describe.each(ROUTES)('an answer of %s that a stop does not wait for', (path, body) => {
  test('ends with an error that says so, after what was said', async () => {
    const proxy = await started(chatgptAuth())
    const answer = await watchAnswer(proxy.url, path, { ...body, stream: true })
    await answer.until('one')
    proxy.signal('SIGTERM')
    expect(await answer.ended).toMatch(ENDED_WITH_ERROR)
    expect(await lineAfterStop()).toMatchObject({ status: 503, code: 'draining' })
  })

  test('is a 503 as long as nothing of it was sent', async () => {
    const proxy = await started(chatgptAuth())
    const asked = watchAnswer(proxy.url, path, body)
    await stage.upstream.waitForCall()
    proxy.signal('SIGTERM')
    const answer = await asked
    expect(answer.status).toBe(503)
    expect(JSON.parse(await answer.ended)).toMatchObject({ error: { code: 'draining' } })
    expect(await lineAfterStop()).toMatchObject({ status: 503, code: 'draining' })
  })

  test('breaks off where its bytes only pass through', async () => {
    const proxy = await started(apiKeyAuth())
    const answer = await watchAnswer(proxy.url, path, { ...body, stream: true })
    await answer.until('one')
    proxy.signal('SIGTERM')
    await expect(answer.ended).rejects.toThrow('broke off')
    expect(await lineAfterStop()).toMatchObject({ code: 'draining' })
  })
})

test('a list of models that upstream still owes is a 503 too', async () => {
  // The login comes later, else the server would ask for the models at its start.
  stage = await startStage({ auth: null, args: ['--drain-timeout', '1ms'] })
  stage.upstream.setModelsAnswer(async () => {
    await gate.pass()
    return { status: 200, body: { models: [] } }
  })
  await stage.home.writeAuth(chatgptAuth())
  const asked = stage.send('/v1/models')
  await stage.upstream.waitForLookUp()
  stage.proxy.signal('SIGTERM')
  const answer = await asked
  expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: 'draining' } }])
})

test('a request whose body does not come keeps nobody waiting', async () => {
  const proxy = await started(chatgptAuth())
  const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1')
  const announced =
    'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n'
  socket.write(`${announced}{`)
  const metrics = async () => (await fetch(`${proxy.url}/metrics`)).json()
  await expect.poll(metrics).toMatchObject({ requests_in_flight: 1 })
  proxy.signal('SIGTERM')
  expect(await proxy.ended).toBe(0)
  socket.destroy()
})

test('a request whose head was still arriving at the stop is told to come again', async () => {
  const proxy = await started(chatgptAuth())
  const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1')
  // Its connection has carried an answer, and so is not one that was only opened ahead.
  socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /v1/chat/completions HTTP/1.1\r\n')
  await once(socket, 'readable')
  proxy.signal('SIGTERM')
  await untilRefused(proxy.url)
  socket.write('Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}')
  expect(await text(socket)).toMatch(/HTTP\/1\.1 503 .*\r\nconnection: close\r\n.*"code":"draining"\}\}$/s)
  expect(await lineAfterStop()).toMatchObject({ status: 503, code: 'draining' })
})
