import type { RequestListener } from 'node:http'
import { expect, test } from 'vitest'
import { serving } from '../../test/support/serving.ts'
import { askServer } from './ask-server.ts'

const asked = async (answer: RequestListener, limit = 10_000) =>
  await askServer({ url: await serving(answer) }, '/health', { limit })

test('an answer is its status and the object in it, in which nothing commands the terminal', async () => {
  const answer = await asked((_request, response) => response.writeHead(503).end('{"status":"\\u001b[2Jerror"}'))
  expect(answer).toEqual({ status: 503, body: { status: '\\u001b[2Jerror' } })
})

test('what an answer says of a failure is read, and what is none is left out', async () => {
  const errorOf = async (body: object) =>
    (await asked((_request, response) => response.end(JSON.stringify(body))))?.error
  expect(await errorOf({ error: { message: 'Too slow.', code: 'request_timeout' } })).toEqual({
    code: 'request_timeout',
    message: 'Too slow.',
  })
  expect(await errorOf({ error: { message: 'Gone.', code: null } })).toEqual({ code: undefined, message: 'Gone.' })
  expect(await errorOf({ error: { code: 'request_timeout' } })).toBeUndefined()
  expect(await errorOf({ error: 'Gone.' })).toBeUndefined()
})

test('a server at a loopback name is asked where it listens', async () => {
  const url = await serving((_request, response) => response.end('{}'))
  const answer = await askServer({ url: url.replace('127.0.0.1', 'proxy.localhost') }, '/health', { limit: 10_000 })
  expect(answer).toEqual({ status: 200, body: {} })
})

test.each<[string, RequestListener]>([
  ['is no JSON', (_request, response) => response.end('<html>')],
  ['is no object', (_request, response) => response.end('[1]')],
  [
    'breaks off',
    (_request, response) => {
      response.writeHead(200, { 'content-length': 20 }).write('{"status":', () => response.destroy())
    },
  ],
  ['does not come', ({ socket }) => socket.destroy()],
])('an answer that %s is none', async (_what, answer) => {
  expect(await asked(answer)).toBeUndefined()
})

test('an answer much longer than ours is not read to its end', async () => {
  expect(
    await asked((_request, response) => response.write(Buffer.alloc(17 * 1024 * 1024, '[')), 600_000),
  ).toBeUndefined()
})

test('whoever says nothing, or not all of it, is not waited for', async () => {
  expect(await asked(() => {}, 50)).toBeUndefined()
  expect(await asked((_request, response) => response.write('{'), 50)).toBeUndefined()
})
