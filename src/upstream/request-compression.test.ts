import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { decompress } from 'fzstd'
import { expect, test, vi } from 'vitest'
import { deferred } from '../../test/support/deferred.ts'
import { Cancellation } from '../cancellation.ts'
import type { ChatGptCredentials } from '../credentials/credentials.ts'
import { BodyMemory } from './body-memory.ts'
import type { UpstreamRequest } from './client.ts'
import { compressesRequests, withCompression } from './request-compression.ts'

const LOGIN: ChatGptCredentials = { kind: 'chatgpt', accessToken: 'token', accountId: undefined, fedramp: false }
const LONG = Buffer.from('a conversation '.repeat(2_000))

/** A client whose upstream answers with these statuses in turn, then with 200; `sent` is what it was sent. */
function scripted(...statuses: (number | Promise<number>)[]) {
  const sent: UpstreamRequest[] = []
  const aborted: number[] = []
  const warn = vi.fn()
  const send = async (request: UpstreamRequest) => {
    sent.push(request)
    const status = await (statuses.shift() ?? 200)
    const body = { over: false, pipe() {}, pause() {}, resume() {}, abort: () => void aborted.push(status) }
    return { status, headers: {}, body }
  }
  const clock = { ms: 0 }
  const client = withCompression({ send }, warn, () => clock.ms)
  const ask = (request: Partial<UpstreamRequest> = {}) => {
    const whole = {
      method: 'POST',
      path: '/responses',
      headers: { accept: 'x' },
      compress: true,
      body: [LONG],
    } as const
    return client.send({ ...whole, ...request }, LOGIN, new Cancellation())
  }
  const codings = () => sent.map(({ headers }) => headers['content-encoding'])
  return { ask, sent, aborted, codings, warn, clock }
}

function decoded({ headers, body = [] }: UpstreamRequest): Buffer {
  const whole = Buffer.concat(body)
  switch (headers['content-encoding']) {
    case 'zstd':
      return Buffer.from(decompress(whole))
    case 'gzip':
      return gunzipSync(whole)
    default:
      return whole
  }
}

const COMPRESSED = expect.stringMatching(/^(zstd|gzip)$/)

test('a long body is sent compressed, with its other headers', async () => {
  const { ask, sent, codings } = scripted()
  expect((await ask()).status).toBe(200)
  expect(codings()).toEqual([COMPRESSED])
  expect(sent).toMatchObject([{ method: 'POST', path: '/responses', headers: { accept: 'x' } }])
  expect(sent.map(decoded)).toEqual([LONG])
  expect(sent[0]?.body?.[0]?.length).toBeLessThan(LONG.length / 10)
})

test('16 KB are long', async () => {
  const { ask, codings } = scripted()
  await ask({ body: [LONG.subarray(0, 16 * 1024)] })
  expect(codings()).toEqual([COMPRESSED])
})

test('any body in any pieces arrives as it was', async () => {
  const sizes = fc.array(fc.nat({ max: 100_000 }), { maxLength: 6 })
  const pieceOf = (size: number) => (size % 2 === 0 ? randomBytes(size) : Buffer.alloc(size, 'words '))
  await fc.assert(
    fc.asyncProperty(sizes, async (lengths) => {
      const body = lengths.map(pieceOf)
      const { ask, sent, codings } = scripted()
      await ask({ body })
      const whole = Buffer.concat(body)
      expect(sent.map((request) => decoded(request).equals(whole))).toEqual([true])
      expect(codings()).toEqual([whole.length < 16 * 1024 ? undefined : COMPRESSED])
    }),
  )
})

test.each<[string, Partial<UpstreamRequest>]>([
  ['a short one', { body: [LONG.subarray(0, 16 * 1024 - 1)] }],
  ['one without a body', { body: [] }],
])('%s is sent as it is', async (_what, request) => {
  const { ask, sent } = scripted()
  await ask(request)
  expect(sent).toEqual([expect.objectContaining({ headers: { accept: 'x' }, ...request })])
})

test('a long body that is not said to be compressible is sent as it is', async () => {
  const { sent, warn } = scripted()
  const client = withCompression({ send: async (request) => sent.push(request) as never }, warn, () => 0)
  const request = { method: 'POST', path: '/images/edits', headers: {}, body: [LONG] }
  await client.send(request, LOGIN, new Cancellation())
  expect(sent).toEqual([request])
})

test.each([400, 403, 404, 413, 415, 422, 500, 501])(
  'a first compressed body that is refused with %i is sent as it is; taken then, no more are compressed for now',
  async (status) => {
    const { ask, sent, aborted, codings, warn } = scripted(status)
    const onRetry = vi.fn()
    expect((await ask({ onRetry })).status).toBe(200)
    await ask()
    expect(codings()).toEqual([COMPRESSED, undefined, undefined])
    expect(sent.map(decoded)).toEqual([LONG, LONG, LONG])
    expect([aborted, onRetry.mock.calls.length, warn.mock.calls.length]).toEqual([[status], 1, 1])
  },
)

test('an hour later it is tried again, since the refusal may have been by chance', async () => {
  const { ask, codings, clock } = scripted(404)
  await ask()
  clock.ms = 60 * 60 * 1000 - 1
  await ask()
  clock.ms++
  await ask()
  expect(codings()).toEqual([COMPRESSED, undefined, undefined, COMPRESSED])
})

test('what is refused as it is too says nothing about compression', async () => {
  const { ask, codings, warn } = scripted(400, 404)
  expect((await ask()).status).toBe(404)
  await ask()
  expect(codings()).toEqual([COMPRESSED, undefined, COMPRESSED])
  expect(warn).not.toHaveBeenCalled()
})

test.each([401, 429, 502, 503, 529])('%i is about something else', async (status) => {
  const { ask, codings } = scripted(status)
  expect((await ask()).status).toBe(status)
  expect(codings()).toEqual([COMPRESSED])
})

test('once one was taken, a refusal is about the request, except where it is the coding that is refused', async () => {
  const { ask, codings } = scripted(200, 400, 415)
  expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([200, 400, 200])
  expect(codings()).toEqual([COMPRESSED, COMPRESSED, COMPRESSED, undefined])
})

test('one that is taken after another was refused is not sent twice, and does not bring compression back', async () => {
  const late = deferred<number>()
  const { ask, sent, codings } = scripted(late.promise, 400)
  const first = ask()
  await expect.poll(() => sent).toHaveLength(1)
  await ask()
  late.resolve(200)
  expect((await first).status).toBe(200)
  await ask()
  expect(codings()).toEqual([COMPRESSED, COMPRESSED, undefined, undefined])
})

test('of two that are refused at once only one says so', async () => {
  const refusals = [deferred<number>(), deferred<number>()]
  const { ask, sent, codings, warn } = scripted(...refusals.map(({ promise }) => promise))
  const asked = [ask(), ask()]
  await expect.poll(() => sent).toHaveLength(2)
  for (const { resolve } of refusals) resolve(400)
  await Promise.all(asked)
  expect(codings()).toEqual([COMPRESSED, COMPRESSED, undefined, undefined])
  expect(warn).toHaveBeenCalledTimes(1)
})

test('when another one was taken meanwhile, a refusal was about the request', async () => {
  const late = deferred<number>()
  const { ask, sent, codings, warn } = scripted(404, late.promise)
  const first = ask()
  await expect.poll(() => sent).toHaveLength(2)
  await ask()
  late.resolve(200)
  expect((await first).status).toBe(200)
  await ask()
  expect(codings()).toEqual([COMPRESSED, undefined, COMPRESSED, COMPRESSED])
  expect(warn).not.toHaveBeenCalled()
})

test('memory that is freed while it is being compressed is left alone until then', async () => {
  const bytes = randomBytes(1_000_000)
  const body = [Buffer.from(bytes)]
  const memory = new BodyMemory(body)
  const { ask, sent } = scripted()
  const asked = ask({ body, memory })
  memory.free()
  await asked
  expect(sent.map(decoded).map((sent) => sent.equals(bytes))).toEqual([true])
  memory.free()
  expect(body[0]?.length).toBe(0)
})

test.each([
  ['auto', 'https://chatgpt.com/backend-api/codex', true],
  ['auto', 'https://gateway.example/backend-api/codex', false],
  ['always', 'https://gateway.example/backend-api/codex', true],
  ['never', 'https://chatgpt.com/backend-api/codex', false],
] as const)('--compress-requests %s, upstream %s: %s', (compressRequests, chatgptBaseUrl, compresses) => {
  expect(compressesRequests({ compressRequests, chatgptBaseUrl })).toBe(compresses)
})
