import { afterAll, beforeAll, expect, test } from 'vitest'
import { responseEvents } from '../fake-upstream/event-stream.ts'
import type { RecordedRequest } from '../fake-upstream/recorded-request.ts'
import { type Stage, startStage } from '../support/stage.ts'

let compressing: Stage
let plain: Stage
beforeAll(async () => {
  const started = [startStage({ args: ['--compress-requests', 'always'] }), startStage()] as const
  ;[compressing, plain] = await Promise.all(started)
})
afterAll(() => Promise.all([compressing.close(), plain.close()]))

const COMPRESSED = /^(zstd|gzip)$/
const TEXT = 'A long story, with "quotes" and ümläuts. '.repeat(4_000)
const IMAGE = `data:image/png;base64,${'iVBORw0KGgo'.repeat(30_000)}`

const QUESTIONS: [string, string, object][] = [
  ['a long text', '/v1/chat/completions', { messages: [{ role: 'user', content: TEXT }] }],
  ['a long text', '/v1/responses', { input: TEXT }],
  [
    'a large image',
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: IMAGE } }] }] },
  ],
  [
    'a large image',
    '/v1/responses',
    { input: [{ role: 'user', content: [{ type: 'input_image', image_url: IMAGE }] }] },
  ],
]

async function sentBy(stage: Stage, path: string, body: object): Promise<RecordedRequest | undefined> {
  const answer = await stage.post(path, { model: 'gpt-5.5', ...body })
  expect([answer.status, await answer.json()]).toEqual([200, expect.anything()])
  return stage.upstream.calls().at(-1)
}

test.each(QUESTIONS)(
  '%s goes to upstream compressed if that is wanted, and says the same (%s)',
  async (...question) => {
    const [, path, body] = question
    const [short, long] = await Promise.all([sentBy(compressing, path, body), sentBy(plain, path, body)])
    expect(short?.headers['content-encoding']).toMatch(COMPRESSED)
    expect(long?.headers['content-encoding']).toBe(undefined)
    expect(short?.json).toEqual(long?.json)
    expect(short?.headers['content-length']).toBe(String(short?.body.length))
    expect(short?.body.length).toBeLessThan((long?.body.length ?? 0) / 10)
  },
)

test('a try again is compressed as well', async () => {
  const { upstream } = compressing
  upstream.enqueue({ status: 503 })
  const before = upstream.calls().length
  await sentBy(compressing, '/v1/responses', { input: TEXT })
  const codings = upstream.calls().map(({ headers }) => headers['content-encoding'])
  expect(codings.slice(before)).toEqual([expect.stringMatching(COMPRESSED), expect.stringMatching(COMPRESSED)])
})

test('a gateway that takes none gets them as they are, and the log says so once', async () => {
  const stage = await startStage({ args: ['--compress-requests', 'always'] })
  stage.upstream.setDefault(({ headers }) =>
    headers['content-encoding'] === undefined
      ? { events: responseEvents([{ text: 'Hello' }]) }
      : { status: 400, body: { detail: 'There was an error parsing the body' } },
  )
  for (const [, path, body] of QUESTIONS) await sentBy(stage, path, body)
  const codings = stage.upstream.calls().map(({ headers }) => headers['content-encoding'])
  expect(codings).toEqual([expect.stringMatching(COMPRESSED), ...QUESTIONS.map(() => undefined)])
  expect((await stage.metrics()).upstream_retries).toBe(1)
  await stage.close()
  expect(stage.proxy.output().match(/only uncompressed/g)).toHaveLength(1)
})
