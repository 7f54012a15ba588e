import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiKeyAuth, chatgptAuth } from '../support/auth-files.ts'
import { seeded } from '../support/random.ts'
import { type Stage, startStage } from '../support/stage.ts'
import { mutatedRequest } from './mutate.ts'
import { openConnection } from './raw-connection.ts'

/** More cases find more: `FUZZ_CASES=200000 npx vitest run test/security/raw-http.fuzz.test.ts`. */
const CASES = Number(process.env.FUZZ_CASES ?? 4000)
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_901)
const AT_ONCE = 32
/** A request that misses its end is answered by nothing; after this silence the client closes. */
const SILENCE_MS = 40
const MINUTES = 60_000

describe.each([
  ['a ChatGPT login', chatgptAuth()],
  ['an API key', apiKeyAuth()],
])('with %s', (login, auth) => {
  let stage: Stage

  beforeAll(async () => {
    stage = await startStage({ auth, args: ['--max-body', '1MB', '--max-headers', '8k'] })
  })

  afterAll(async () => {
    await stage.close()
  })

  test('no bytes crash the proxy or make it answer 500', { timeout: 30 * MINUTES }, async () => {
    console.log(`${CASES} cases of seed ${SEED} with ${login}; run again with FUZZ_SEED and FUZZ_CASES`)
    for (let start = 0; start < CASES; start += AT_ONCE) {
      const numbers = Array.from({ length: Math.min(AT_ONCE, CASES - start) }, (_, i) => start + i)
      await Promise.all(numbers.map((number) => runCase(stage, number)))
      if (start % (AT_ONCE * 16) === 0) await expectStillServing(stage)
    }
    await expectStillServing(stage)
    // Nothing is left of all those requests that would keep it running.
    expect(await stage.proxy.stop()).toBe(0)
    expect(stage.proxy.output()).not.toMatch(/unexpected failure|internal_error|Unhandled|\n {4}at /)
  })
})

async function runCase(stage: Stage, number: number): Promise<void> {
  const request = mutatedRequest(seeded(SEED + number))
  const answer = await exchange(stage.proxy.url, request)
  const told = `case ${number} of seed ${SEED}: ${JSON.stringify(request.slice(0, 2000))}`
  for (const [, status] of answer.matchAll(/(?:^|\n)HTTP\/1\.1 (\d{3})/g)) expect(status, told).not.toBe('500')
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2)
  // An answer that had to be cut off, or to HEAD, has no whole body.
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
  if (!/^HTTP\/1\.1 4/.test(head) || !(length > 0) || body.length < length) return
  expect(JSON.parse(body.slice(0, length)), told).toMatchObject({ error: { message: expect.any(String) } })
}

/** Sends, and reads until the proxy closes, or there is nothing more to come. */
async function exchange(url: string, request: string): Promise<string> {
  const socket = await openConnection(url)
  const pieces: Buffer[] = []
  const silence = setTimeout(() => socket.end(), SILENCE_MS)
  socket.on('data', (bytes: Buffer) => {
    pieces.push(bytes)
    silence.refresh()
  })
  socket.write(request, 'latin1')
  await new Promise((resolve) => socket.once('close', resolve))
  clearTimeout(silence)
  return Buffer.concat(pieces).toString('latin1')
}

async function expectStillServing(stage: Stage): Promise<void> {
  const body = { model: 'gpt-5.5', messages: [{ role: 'user', content: 'Hello' }] }
  const answer = await stage.post('/v1/chat/completions', body)
  expect(answer.status, await answer.text()).toBe(200)
}
