import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Deferred, deferred } from '../../test/support/deferred.ts'
import { type LoginStage, startLoginStage } from '../../test/support/login-stage.ts'

const MINUTE = 60_000
const REFUSED = { status: 401, body: JSON.stringify({ error: { code: 'refresh_token_reused' } }) }
let stage: LoginStage
/** What the issuer answers another process. */
let answer: Deferred<{ status: number; body: string }>

beforeEach(async () => {
  stage = await startLoginStage()
  answer = deferred()
})
afterEach(async () => {
  answer.resolve({ status: 503, body: '' })
  await stage.close()
})

test('a login whose third refresh in a row is refused is given up, although newer ones kept coming', async () => {
  const writeExpired = () => stage.writeAuth(stage.login(-MINUTE))
  await writeExpired()
  let asked = 0
  const postToken = async () => {
    asked++
    await writeExpired()
    return asked < 9 ? REFUSED : { status: 200, body: JSON.stringify({ access_token: 'at' }) }
  }
  await expect(stage.source({ postToken }).current()).rejects.toMatchObject({ code: 'login_expired' })
  expect(asked).toBe(3)
})

test('a refused login is given up for a new access token that somebody writes beside the same refresh token', async () => {
  const expired = stage.login(-MINUTE)
  const { access_token } = stage.issuer.login().tokens
  await stage.writeAuth(expired)
  const postToken = async () => {
    await stage.writeAuth({ ...expired, tokens: { ...expired.tokens, access_token } })
    return REFUSED
  }
  expect(await stage.source({ postToken }).current()).toMatchObject({ accessToken: access_token })
})

test('a login that may only be read does not wait for a refresh by another process', async () => {
  await stage.writeAuth(stage.issuer.login())
  let asked = false
  const postToken = () => {
    asked = true
    return answer.promise
  }
  const other = stage.source({ postToken })
  const refreshing = other.replace(await other.current()).catch((error: unknown) => error)
  await expect.poll(() => asked).toBe(true)

  let now = Date.now()
  const source = stage.source({ mode: 'read-only', now: () => now })
  await expect(source.replace(await source.current())).rejects.toMatchObject({ code: 'login_stale' })
  now += 11 * 24 * 60 * MINUTE
  await expect(source.current()).rejects.toMatchObject({ code: 'login_stale' })
  answer.resolve({ status: 503, body: '' })
  expect(await refreshing).toMatchObject({ code: 'refresh_failed' })
})
