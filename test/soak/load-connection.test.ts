import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { LoadConnection, newCounts } from '../../bench/load-connection.ts'
import { NO_LOAD } from '../../bench/load-plan.ts'
import { DEFAULT_ORDER } from '../../bench/order.ts'
import { listenOnLoopback } from '../support/loopback.ts'

const WHOLE = 'data: [DONE]\n\n'

test.each([
  ['with a length, whose end the client does not see', 200, { 'content-length': String(WHOLE.length) }],
  ['that is no 200', 503, {}],
])('an answer %s counts as wrong and is not waited for', async (_, status, headers) => {
  const server = createServer((_request, response) => {
    response.writeHead(status, headers).end(WHOLE)
  })
  const port = await listenOnLoopback(server)
  onTestFinished(() => {
    server.close()
  })
  const counts = newCounts()
  const plan = { ...NO_LOAD, port, kind: 'chat' as const, path: '/v1/chat/completions', order: DEFAULT_ORDER }
  const connection = new LoadConnection(plan, counts, () => counts.begun < 1)

  connection.begin()
  await expect.poll(() => counts.wrong).toBe(1)
  expect(counts.firstProblem).toContain(`the answer is HTTP/1.1 ${status}`)
  connection.close()
})
