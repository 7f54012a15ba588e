import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGate } from '../fake-upstream/answer.ts'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import { type Stage, startStage } from '../support/stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.close())

const EVENTS = responseEvents([{ reasoning: ['Hmm.'] }, { text: 'alpha beta gamma delta' }])

/** Everything a client has got so far, and a way to wait until it holds a text. */
function postAndWatch(path: string, body: object) {
  let received = ''
  let look = () => {}
  const sent = request(`${stage.proxy.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
  })
  const ended = new Promise<void>((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', (response) => {
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        received += text
        look()
      })
      response.on('end', resolve)
    })
  })
  sent.end(JSON.stringify(body))
  return {
    received: () => received,
    ended,
    until: (text: string) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (received.includes(text)) resolve()
        }
        look()
      }),
  }
}

test.each([
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hello' }] }],
  ['/v1/responses', { input: 'Hello' }],
])('case 173: each delta of %s reaches the client before upstream sends the next one', async (path, body) => {
  const gate = createGate()
  stage.upstream.enqueue({ events: EVENTS, gate })
  const client = postAndWatch(path, { model: 'gpt-5.5', stream: true, ...body })
  let deltas = 0
  for (const event of EVENTS) {
    gate.release()
    if (event.type !== 'response.output_text.delta') continue
    // A proxy that waits for more before it sends would wait here for ever: no further event is let go.
    await client.until(`"${event.delta}"`)
    deltas++
  }
  await client.ended
  expect(deltas).toBe(4)
})
