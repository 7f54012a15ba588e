import * as nodeFs from 'node:fs'
import { renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { unsignedJwt } from '../../test/support/auth-files.ts'
import { deferred } from '../../test/support/deferred.ts'
import { failWith } from '../../test/support/fail-with.ts'
import { type LoginStage, post, startLoginStage, tokenOf } from '../../test/support/login-stage.ts'
import { acquireLock } from '../system/lock-file.ts'
import type { Files } from './auth-file.ts'

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

test('a fresh token is used as it is', async () => {
  const auth = stage.login(6 * MINUTE)
  await stage.writeAuth(auth)
  const source = stage.source()
  expect(source.ready()).toMatchObject({ kind: 'chatgpt', accessToken: auth.tokens.access_token })
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(stage.refreshes()).toBe(0)
})

test.each([
  ['expires within five minutes', 4 * MINUTE],
  ['has expired', -MINUTE],
])('a token that %s is not ready, and is left alone until it is asked for', async (_name, lifetimeMs) => {
  await stage.writeAuth(stage.login(lifetimeMs))
  const source = stage.source()
  expect(source.ready()).toBeUndefined()
  await source.close()
  expect(stage.refreshes()).toBe(0)
})

test.each([
  ['expires within five minutes', 4 * MINUTE],
  ['has expired', -MINUTE],
])('a token that %s is refreshed, written and used', async (_name, lifetimeMs) => {
  const auth = { ...stage.login(lifetimeMs), future_field: { kept: true } }
  await stage.writeAuth(auth)
  const token = tokenOf(await stage.source().current())
  const written = await stage.readAuth()
  expect(token).toBe(written.tokens.access_token)
  expect(token).not.toBe(auth.tokens.access_token)
  expect(written).toMatchObject({ future_field: { kept: true }, tokens: { account_id: auth.tokens.account_id } })
  expect(Date.parse(written.last_refresh ?? '')).toBeGreaterThan(Date.parse(auth.last_refresh) - 1)
  expect(stage.issuer.isRedeemable(written.tokens.refresh_token ?? '')).toBe(true)
  expect(stage.refreshes()).toBe(1)
})

test.each([
  [9 * DAY, 1],
  [7 * DAY, 0],
])('an opaque token last refreshed %i ms ago is refreshed %i times', async (age, times) => {
  const auth = stage.login(DAY)
  const last_refresh = new Date(Date.now() - age).toISOString()
  await stage.writeAuth({ ...auth, last_refresh, tokens: { ...auth.tokens, access_token: 'opaque' } })
  await stage.source().current()
  expect(stage.refreshes()).toBe(times)
})

test('200 requests at once on an expired token cause one refresh', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  stage.issuer.delayMs = 20
  const source = stage.source()
  const tokens = await Promise.all(Array.from({ length: 200 }, async () => tokenOf(await source.current())))
  expect(new Set(tokens).size).toBe(1)
  expect(stage.refreshes()).toBe(1)
})

test('several sources on one file cause one refresh', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  stage.issuer.delayMs = 20
  const sources = [stage.source(), stage.source(), stage.source()]
  const tokens = await Promise.all(sources.map(async (source) => tokenOf(await source.current())))
  expect(new Set(tokens).size).toBe(1)
  expect(stage.refreshes()).toBe(1)
})

test('a missing token in the answer keeps the stored one', async () => {
  const auth = stage.login(-MINUTE)
  await stage.writeAuth(auth)
  const access = unsignedJwt({ exp: Date.now() / 1000 + 3600 })
  stage.issuer.answerNext(200, { access_token: access, id_token: null })
  expect(tokenOf(await stage.source().current())).toBe(access)
  expect((await stage.readAuth()).tokens).toEqual({ ...auth.tokens, access_token: access })
})

test('an answer without access token fails once and is not asked for again', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  stage.issuer.answerNext(200, {})
  const source = stage.source()
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'login_expired' })
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'login_expired' })
  expect(stage.refreshes()).toBe(1)
})

test('tokens that seem to have expired on arrival are used: our clock may be fast', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  stage.issuer.lifetimeMs = -30 * MINUTE
  const source = stage.source()
  const first = tokenOf(await source.current())
  expect(tokenOf(await source.current())).toBe(first)
  expect(stage.refreshes()).toBe(1)
})

test('nor do two programs refresh in turns then, since neither can tell what the other one got', async () => {
  let ahead = 20 * DAY
  await stage.writeAuth(stage.login(-MINUTE))
  stage.issuer.lifetimeMs = 10 * DAY
  const sources = [1, 2].map(() => stage.source({ now: () => Date.now() + ahead }))
  for (const source of [...sources, ...sources, ...sources]) await source.current()
  // Each has to learn once that its clock is fast.
  expect(stage.refreshes()).toBe(2)

  const [one] = sources
  const old = await one?.current()
  if (old === undefined) throw new Error('no credentials')
  // Upstream tells when a token is over; and once the clock is right, it counts again.
  ahead = 0
  await one?.replace(old)
  expect(stage.refreshes()).toBe(3)
  await stage.writeAuth(stage.login(-MINUTE))
  await one?.current()
  expect(stage.refreshes()).toBe(4)
})

test('a login that another program writes while we refresh tells nothing about our clock', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  let other: object | undefined = stage.login(-MINUTE)
  const source = stage.source({
    async postToken(url, body) {
      const answer = await post(url, body)
      if (other !== undefined) await stage.writeAuth(other)
      other = undefined
      return answer
    },
  })
  await source.current()
  await source.current()
  expect(stage.refreshes()).toBe(2)
})

test('tokens shorter-lived than the margin are used until they expire', async () => {
  let now = Date.now()
  await stage.writeAuth(stage.login(-MINUTE))
  stage.issuer.lifetimeMs = 2 * MINUTE
  const source = stage.source({ now: () => now })
  await source.current()
  now += MINUTE
  await source.current()
  expect(stage.refreshes()).toBe(1)
  now += 2 * MINUTE
  await source.current()
  expect(stage.refreshes()).toBe(2)
})

test('a new login is picked up by the next request', async () => {
  const [one, other] = [stage.login(DAY), stage.login(DAY)]
  await stage.writeAuth(one)
  const source = stage.source()
  await source.current()
  await stage.writeAuth(other)
  expect(tokenOf(await source.current())).toBe(other.tokens.access_token)
})

test('a file that is just being written in place is read again a moment later', async () => {
  const auth = stage.login(DAY)
  await stage.writeAuth('{"tokens":{"acc')
  const credentials = stage.source().current()
  setImmediate(() => writeFileSync(stage.authPath, JSON.stringify(auth)))
  expect(tokenOf(await credentials)).toBe(auth.tokens.access_token)
})

/** Files that can't be read the first times. */
function heldFile(code: string, times: number) {
  const readFileSync = vi.fn((...read: Parameters<typeof nodeFs.readFileSync>) => {
    return readFileSync.mock.calls.length > times ? nodeFs.readFileSync(...read) : failWith(code)()
  })
  return { files: { ...nodeFs, readFileSync } as Files, readFileSync }
}

test('a file that a virus scanner has for itself alone is waited for, as Windows lets it', async () => {
  const auth = stage.login(DAY)
  await stage.writeAuth(auth)
  expect(tokenOf(await stage.source({ files: heldFile('EBUSY', 3).files }).current())).toBe(auth.tokens.access_token)
  expect((await stage.source({ files: heldFile('EBUSY', 3).files }).status()).problem).toBeUndefined()
})

test('a file that stays held is not waited for for ever, and one without permission not at all', async () => {
  await stage.writeAuth(stage.login(DAY))
  const forbidden = heldFile('EPERM', Number.POSITIVE_INFINITY)
  expect(await stage.errorOf(stage.source(forbidden).current())).toMatchObject({ code: 'credentials_unreadable' })
  expect(forbidden.readFileSync).toHaveBeenCalledTimes(2) // By `ready`, and for the reason.
  const held = heldFile('EBUSY', Number.POSITIVE_INFINITY)
  expect(await stage.errorOf(stage.source(held).current())).toMatchObject({
    code: 'credentials_unreadable',
    message: expect.stringContaining('EBUSY'),
  })
})

for (const [code, message] of [
  ['refresh_token_expired', /expired/],
  ['refresh_token_reused', /already used/],
  ['refresh_token_invalidated', /revoked/],
] as const) {
  test(`${code} fails at once from then on, without network, until the file changes`, async () => {
    await stage.writeAuth(stage.login(-MINUTE))
    stage.issuer.answerNext(401, refusal(code))
    const source = stage.source()
    const first = await stage.errorOf(source.current())
    expect(first).toMatchObject({ code: 'login_expired', status: 401, message: expect.stringMatching(message) })
    expect(await stage.errorOf(source.current())).toBe(first)
    expect(stage.refreshes()).toBe(1)
    const status = await source.status()
    expect(status.problem).toMatchObject({ code: 'login_expired', remedy: expect.stringContaining('codex login') })
    expect(status.warning).toBeUndefined()

    const signedInAgain = stage.login(DAY)
    await stage.writeAuth(signedInAgain)
    expect(tokenOf(await source.current())).toBe(signedInAgain.tokens.access_token)
    expect((await source.status()).problem).toBeUndefined()
  })
}

test('a refused early refresh is a warning while the access token is good', async () => {
  const auth = stage.login(4 * MINUTE)
  await stage.writeAuth(auth)
  stage.issuer.answerNext(401, refusal('refresh_token_expired'))
  const source = stage.source()
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(stage.refreshes()).toBe(1)
  expect(await source.status()).toMatchObject({ warning: expect.stringContaining('expired') })
  expect((await source.status()).problem).toBeUndefined()
})

test('a failed early refresh does not fail the request, and rests before it is tried again', async () => {
  let now = Date.now()
  const auth = stage.login(4 * MINUTE)
  await stage.writeAuth(auth)
  const source = stage.source({ now: () => now })
  stage.issuer.answerNext(503, '')
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(stage.refreshes()).toBe(1)
  expect((await source.status()).warning).toContain('503')
  now += MINUTE
  expect(tokenOf(await source.current())).not.toBe(auth.tokens.access_token)
  expect((await source.status()).warning).toBeUndefined()
})

test('a request whose token is still good does not wait long for a slow issuer', async () => {
  const auth = stage.login(4 * MINUTE)
  await stage.writeAuth(auth)
  const slow = deferred()
  const source = stage.source({ postToken: (url, body) => slow.promise.then(() => post(url, body)) })
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  slow.resolve()
  await source.close()
  expect(tokenOf(await source.current())).not.toBe(auth.tokens.access_token)
})

test('a failed refresh of an expired token is a 503, never tried twice by one request, and the next one tries again', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const source = stage.source()
  stage.issuer.answerNext(500, '')
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'refresh_failed', status: 503 })
  expect(stage.refreshes()).toBe(1)
  expect((await source.status()).problem).toMatchObject({ code: 'refresh_failed' })
  await source.current()
  expect(stage.refreshes()).toBe(2)
})

test('a refresh that failed, and was not refused, is told without waiting for a newer login', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  stage.issuer.answerNext(500, '')
  expect(await stage.errorOf(stage.source({ healingMs: DAY }).current())).toMatchObject({ code: 'refresh_failed' })
})

test('an issuer that wants to be asked less often is left alone for half a minute', async () => {
  await stage.writeAuth(stage.login(-DAY))
  let now = Date.now()
  const source = stage.source({ now: () => now })
  const limited = {
    code: 'refresh_failed',
    message: expect.stringMatching(/HTTP 429.*half a minute/),
    // Not "in a moment", which would contradict the message.
    remedy: expect.stringMatching(/^Try again a little later; /),
  }
  stage.issuer.answerNext(429, {})
  expect(await stage.errorOf(source.current())).toMatchObject(limited)
  now += 29_000
  expect(await stage.errorOf(source.current())).toMatchObject(limited)
  expect((await source.status()).problem).toMatchObject(limited)
  expect(stage.refreshes()).toBe(1)

  now += 1000
  stage.issuer.answerNext(429, {})
  expect(await stage.errorOf(source.current())).toMatchObject(limited)
  expect(stage.refreshes()).toBe(2)
  // A clock that is set back must not make the half minute hours.
  now -= 60 * MINUTE
  expect(tokenOf(await source.current())).toBe((await stage.readAuth()).tokens.access_token)
  expect(stage.refreshes()).toBe(3)
})

test('an issuer that wants to be asked less often is asked at once for another login', async () => {
  await stage.writeAuth(stage.login(-DAY))
  const source = stage.source()
  stage.issuer.answerNext(429, {})
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'refresh_failed' })
  await stage.writeAuth(stage.login(-MINUTE))
  expect(tokenOf(await source.current())).toBe((await stage.readAuth()).tokens.access_token)
})

test('reuse that somebody else is about to heal is waited for', async () => {
  const auth = stage.login(-MINUTE)
  await stage.writeAuth(auth)
  const source = stage.source({ healingMs: 30_000 })
  // Another program, which does not know our lock, refreshes first and writes a moment later.
  const answer = await post(stage.issuer.url, { grant_type: 'refresh_token', refresh_token: auth.tokens.refresh_token })
  const theirs = JSON.parse(answer.body)
  const credentials = source.current()
  await expect.poll(() => stage.issuer.reuses).toBe(1)
  writeFileSync(`${stage.authPath}.theirs`, JSON.stringify({ ...auth, tokens: { ...auth.tokens, ...theirs } }))
  renameSync(`${stage.authPath}.theirs`, stage.authPath)
  expect(tokenOf(await credentials)).toBe(theirs.access_token)
  expect(stage.issuer.reuses).toBe(1)
  expect((await source.status()).warning).toBeUndefined()
})

test('a file that is being written in place while a refusal waits for a newer login is looked at again', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const newer = stage.login(DAY)
  const readFileSync = vi.fn(nodeFs.readFileSync)
  const source = stage.source({ healingMs: 30_000, files: { ...nodeFs, readFileSync: readFileSync as never } })
  stage.issuer.answerNext(401, refusal('refresh_token_reused'))
  const credentials = source.current()
  await expect.poll(stage.refreshes).toBe(1)
  await stage.writeAuth('{ "tokens":')
  readFileSync.mockClear()
  await expect.poll(() => readFileSync.mock.calls.length).toBeGreaterThan(0)
  await stage.writeAuth(newer)
  expect(tokenOf(await credentials)).toBe(newer.tokens.access_token)
})

test('a refresh goes on when nobody waits for it any more, and close waits for it', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  stage.issuer.delayMs = 50
  const source = stage.source()
  const asked = source.current()
  await expect.poll(stage.refreshes).toBe(1)
  await source.close()
  expect(stage.issuer.isRedeemable((await stage.readAuth()).tokens.refresh_token ?? '')).toBe(true)
  await asked
})

test('who stops while another process refreshes does not begin to, and ends at once', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const answer = deferred<{ status: number; body: string }>()
  const refreshing = stage.errorOf(stage.source({ postToken: () => answer.promise }).current())
  const stopping = stage.source()
  const waiting = stage.errorOf(stopping.current())
  await stopping.close()
  expect(await waiting).toMatchObject({ code: 'draining' })
  answer.resolve({ status: 503, body: '' })
  expect(await refreshing).toMatchObject({ code: 'refresh_failed' })
  expect(stage.refreshes()).toBe(0)
})

test('who can not refresh waits for nobody who does', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const lockPath = join(dirname(stage.authPath), '.auth.json.codex-api-proxy.lock')
  const lock = await acquireLock(lockPath, { until: () => true, patienceMs: 0 })
  expect(await stage.errorOf(stage.source({ mode: 'read-only' }).current())).toMatchObject({ code: 'login_stale' })
  lock?.release()
})

test('a refusal is told soon also when the clock is set back meanwhile', async () => {
  await stage.writeAuth(stage.login(DAY))
  const source = stage.source()
  const rejected = await source.current()
  stage.issuer.answerNext(401, refusal('refresh_token_reused'))
  let now = Date.now()
  vi.spyOn(Date, 'now').mockImplementation(() => {
    now -= 60 * MINUTE
    return now
  })
  const again = await source.replace(rejected)
  expect(await stage.errorOf(source.replace(again))).toMatchObject({ code: 'login_expired' })
})

test('who stops after a refusal spends nothing more', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const newer = stage.login(-MINUTE)
  const source = stage.source({ healingMs: 30_000 })
  stage.issuer.answerNext(401, refusal('refresh_token_reused'))
  const waiting = stage.errorOf(source.current())
  await expect.poll(stage.refreshes).toBe(1)
  const closed = source.close()
  await stage.writeAuth(newer)
  await closed
  expect(await waiting).toMatchObject({ code: 'draining' })
  expect(stage.refreshes()).toBe(1)
})

test('read-only mode never refreshes or writes, and takes what Codex writes', async () => {
  const auth = stage.login(4 * MINUTE)
  await stage.writeAuth(auth)
  let now = Date.now()
  const source = stage.source({ mode: 'read-only', now: () => now })
  const credentials = await source.current()
  expect(tokenOf(credentials)).toBe(auth.tokens.access_token)
  expect(await stage.errorOf(source.replace(credentials))).toMatchObject({ code: 'login_stale', status: 401 })
  now += 5 * MINUTE
  const error = await stage.errorOf(source.current())
  expect(error).toMatchObject({ code: 'login_stale', remedy: expect.stringContaining('codex') })
  expect((await source.status()).problem).toMatchObject({ code: 'login_stale' })
  expect(await stage.readAuth()).toEqual(auth)
  expect(stage.refreshes()).toBe(0)

  const newer = stage.login(DAY)
  await stage.writeAuth(newer)
  expect(tokenOf(await source.current())).toBe(newer.tokens.access_token)
})

test('tokens without refresh token work until they expire', async () => {
  const { refresh_token: _, ...tokens } = stage.login(MINUTE).tokens
  await stage.writeAuth({ tokens })
  let now = Date.now()
  const source = stage.source({ now: () => now })
  expect(tokenOf(await source.current())).toBe(tokens.access_token)
  now += 2 * MINUTE
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'login_expired' })
  expect((await source.status()).problem).toMatchObject({ code: 'login_expired' })
})

test('a refresh token of another issuer is sent to nobody', async () => {
  const auth = stage.login(-MINUTE)
  await stage.writeAuth({
    ...auth,
    tokens: { ...auth.tokens, oauth_provenance: { issuer: 'https://evil.example', client_id: 'app_x' } },
  })
  const posted: string[] = []
  const { createCredentialSource } = await import('./credential-source.ts')
  const source = createCredentialSource({
    codexHome: stage.codexHome,
    mode: 'read-write',
    postToken: async (url) => {
      posted.push(url)
      return { status: 200, body: '{}' }
    },
    overrides: {},
    now: Date.now,
    warn: () => {},
  })
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'credentials_unsupported' })
  expect(posted).toEqual([])
})

test('the status shows the account, never a token', async () => {
  const auth = stage.login(DAY)
  await stage.writeAuth(auth)
  const status = await stage.source().status()
  stage.show(status)
  expect(status).toEqual({
    kind: 'chatgpt',
    file: stage.authPath,
    plan: 'plus',
    expiresAt: expect.any(Number),
    lastRefresh: Date.parse(auth.last_refresh),
  })
})

test('the status of a missing login is its problem', async () => {
  expect(await stage.source().status()).toMatchObject({ kind: 'none', problem: { code: 'credentials_missing' } })
})
