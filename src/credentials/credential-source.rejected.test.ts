import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { deferred } from '../../test/support/deferred.ts'
import { type LoginStage, post, startLoginStage, tokenOf } from '../../test/support/login-stage.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

let stage: LoginStage
beforeEach(async () => {
  stage = await startLoginStage()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await stage.close()
})

const refusal = (code: string) => ({ error: { code } })

test('a 401 brings what the file holds by now, without a refresh', async () => {
  const [one, other] = [stage.login(DAY), stage.login(DAY)]
  await stage.writeAuth(one)
  const source = stage.source()
  const rejected = await source.current()
  await stage.writeAuth(other)
  expect(tokenOf(await source.replace(rejected))).toBe(other.tokens.access_token)
  expect(stage.refreshes()).toBe(0)
})

test('a 401 to what the file still holds brings refreshed tokens, once, for everybody', async () => {
  await stage.writeAuth(stage.login(DAY))
  const source = stage.source()
  const rejected = await source.current()
  const replaced = await Promise.all(Array.from({ length: 50 }, () => source.replace(rejected)))
  expect(new Set(replaced.map(tokenOf)).size).toBe(1)
  expect(tokenOf(replaced[0] as never)).toBe((await stage.readAuth()).tokens.access_token)
  expect(stage.refreshes()).toBe(1)
})

test('a 401 to what a refresh under way comes back with is followed by one more refresh', async () => {
  await stage.writeAuth(stage.login(4 * MINUTE))
  const newer = stage.login(DAY)
  const slow = deferred()
  const postToken = vi.fn((url: string, body: object) => slow.promise.then(() => post(url, body)))
  const source = stage.source({ postToken })
  const early = source.current()
  await expect.poll(() => postToken.mock.calls.length).toBe(1)
  // While the issuer is asked for the old login, another one is written, and refused by upstream.
  await stage.writeAuth(newer)
  const rejected = await source.current()
  expect(tokenOf(rejected)).toBe(newer.tokens.access_token)
  const replaced = source.replace(rejected)
  slow.resolve()
  expect(tokenOf(await replaced)).not.toBe(newer.tokens.access_token)
  expect(stage.refreshes()).toBe(2)
  await early
})

test('a 401 to tokens refreshed for a 401 ends it, and for a while nobody refreshes them again in vain', async () => {
  let now = Date.now()
  await stage.writeAuth(stage.login(DAY))
  const source = stage.source({ now: () => now })
  const replaced = await source.replace(await source.current())
  expect(await stage.errorOf(source.replace(replaced))).toMatchObject({ code: 'upstream_rejected_credentials' })
  expect(await stage.errorOf(source.replace(await source.current()))).toMatchObject({
    code: 'upstream_rejected_credentials',
  })
  expect(stage.refreshes()).toBe(1)
  now += 2 * MINUTE
  const again = await source.replace(await source.current())
  expect(stage.refreshes()).toBe(2)

  expect(await stage.errorOf(source.replace(again))).toMatchObject({ code: 'upstream_rejected_credentials' })
  // A clock that is set back must not make the minute hours.
  now -= 60 * MINUTE
  await source.replace(await source.current())
  expect(stage.refreshes()).toBe(3)
})

test('refreshed tokens that served for a while are refreshed again after a 401', async () => {
  await stage.writeAuth(stage.login(DAY))
  const source = stage.source()
  await source.replace(await source.current())
  await source.replace(await source.current())
  expect(stage.refreshes()).toBe(2)
})

test('after a 401 another account in the file is used, and nothing of the old login is refreshed or written', async () => {
  await stage.writeAuth(stage.login(DAY))
  const source = stage.source()
  const rejected = await source.current()
  const other = stage.login(DAY)
  await stage.writeAuth(other)
  const used = await source.replace(rejected)
  expect(used).toMatchObject({ kind: 'chatgpt', accountId: other.tokens.account_id })
  expect(stage.refreshes()).toBe(0)
  expect(await stage.readAuth()).toEqual(other)
})

test('after a 401 an API key in the file is used', async () => {
  await stage.writeAuth(stage.login(DAY))
  const source = stage.source()
  const rejected = await source.current()
  await stage.writeAuth({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-1' })
  expect(await source.replace(rejected)).toEqual({ kind: 'api-key', apiKey: 'sk-1' })
})

test('after a 401 to an API key another one in the file is used', async () => {
  await stage.writeAuth({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-1' })
  const source = stage.source()
  const rejected = await source.current()
  await stage.writeAuth({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-22' })
  expect(await source.replace(rejected)).toEqual({ kind: 'api-key', apiKey: 'sk-22' })
})

test('a 401 and a refused refresh bring the same tokens once more, and a 401 to these ends requests at once from then on, without network', async () => {
  await stage.writeAuth(stage.login(DAY))
  const source = stage.source()
  stage.issuer.answerNext(401, refusal('refresh_token_invalidated'))
  const rejected = await source.current()
  const again = await source.replace(rejected)
  expect(again).toEqual(rejected)
  expect(await source.current()).toEqual(rejected)
  expect(await stage.errorOf(source.replace(again))).toMatchObject({ code: 'login_expired' })
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'login_expired' })
  expect((await source.status()).problem).toMatchObject({ code: 'login_expired' })
  expect(stage.refreshes()).toBe(1)
})

test('after a 401 and a refused refresh a new access token in the file is used, also beside the same refresh token', async () => {
  const auth = stage.login(DAY)
  await stage.writeAuth(auth)
  const source = stage.source()
  stage.issuer.answerNext(401, refusal('refresh_token_invalidated'))
  const again = await source.replace(await source.current())
  expect(await stage.errorOf(source.replace(again))).toMatchObject({ code: 'login_expired' })
  const newer = stage.login(DAY).tokens.access_token
  await stage.writeAuth({ ...auth, tokens: { ...auth.tokens, access_token: newer } })
  expect(tokenOf(await source.current())).toBe(newer)
  expect((await source.status()).problem).toBeUndefined()
})

test('a 401 to an API key or a personal access token can’t be helped', async () => {
  await stage.writeAuth({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-1' })
  const source = stage.source()
  const rejected = await source.current()
  expect(await stage.errorOf(source.replace(rejected))).toMatchObject({ code: 'upstream_rejected_credentials' })
  await stage.writeAuth({ OPENAI_API_KEY: null, personal_access_token: 'at-1' })
  const personal = await source.current()
  expect(personal).toMatchObject({ kind: 'chatgpt', accessToken: 'at-1', accountId: undefined })
  expect(await stage.errorOf(source.replace(personal))).toMatchObject({ status: 401 })
  expect(stage.refreshes()).toBe(0)
})
