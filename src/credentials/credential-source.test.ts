import * as nodeFs from 'node:fs'
import { readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { unsignedJwt } from '../../test/support/auth-files.ts'
import { failWith } from '../../test/support/fail-with.ts'
import { type LoginStage, post, startLoginStage, tokenOf } from '../../test/support/login-stage.ts'
import { playPlatform } from '../../test/support/platform.ts'
import type { ProxyError } from '../errors.ts'
import type { Files } from './auth-file.ts'
import { replaceAuthFile, withTokens } from './auth-file-write.ts'
import { leftTokens } from './leftovers.ts'
import type { NewTokens } from './refresh.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
let stage: LoginStage
/** Everything a person or client could get to see, for the search for secrets at the end. */
let shown: unknown[]

beforeEach(async () => {
  stage = await startLoginStage()
  shown = []
})
afterEach(async () => {
  vi.restoreAllMocks()
  await stage.close(...shown)
})

const errorOf = async (work: unknown): Promise<ProxyError> => {
  const error = await Promise.resolve(work).then(
    () => new Error('nothing went wrong'),
    (reason: ProxyError) => reason,
  )
  shown.push(error)
  return error as ProxyError
}
const refreshes = () => stage.issuer.requests.length
const login = (lifetimeMs: number) => stage.issuer.login({ lifetimeMs })
const refusal = (code: string) => ({ error: { code } })

test('a fresh token is used as it is', async () => {
  const auth = login(6 * MINUTE)
  await stage.writeAuth(auth)
  const source = stage.source()
  expect(source.ready()).toMatchObject({ kind: 'chatgpt', accessToken: auth.tokens.access_token })
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(refreshes()).toBe(0)
})

test.each([
  ['expires within five minutes', 4 * MINUTE],
  ['has expired', -MINUTE],
])('a token that %s is not ready, and is left alone until it is asked for', async (_name, lifetimeMs) => {
  await stage.writeAuth(login(lifetimeMs))
  const source = stage.source()
  expect(source.ready()).toBeUndefined()
  await source.close()
  expect(refreshes()).toBe(0)
})

test.each([
  ['expires within five minutes', 4 * MINUTE],
  ['has expired', -MINUTE],
])('a token that %s is refreshed, written and used', async (_name, lifetimeMs) => {
  const auth = { ...login(lifetimeMs), future_field: { kept: true } }
  await stage.writeAuth(auth)
  const token = tokenOf(await stage.source().current())
  const written = await stage.readAuth()
  expect(token).toBe(written.tokens.access_token)
  expect(token).not.toBe(auth.tokens.access_token)
  expect(written).toMatchObject({ future_field: { kept: true }, tokens: { account_id: auth.tokens.account_id } })
  expect(Date.parse(written.last_refresh ?? '')).toBeGreaterThan(Date.parse(auth.last_refresh) - 1)
  expect(stage.issuer.isRedeemable(written.tokens.refresh_token ?? '')).toBe(true)
  expect(refreshes()).toBe(1)
})

test.each([
  [9 * DAY, 1],
  [7 * DAY, 0],
])('an opaque token last refreshed %i ms ago is refreshed %i times', async (age, times) => {
  const auth = login(DAY)
  const last_refresh = new Date(Date.now() - age).toISOString()
  await stage.writeAuth({ ...auth, last_refresh, tokens: { ...auth.tokens, access_token: 'opaque' } })
  await stage.source().current()
  expect(refreshes()).toBe(times)
})

test('200 requests at once on an expired token cause one refresh', async () => {
  await stage.writeAuth(login(-MINUTE))
  stage.issuer.delayMs = 20
  const source = stage.source()
  const tokens = await Promise.all(Array.from({ length: 200 }, async () => tokenOf(await source.current())))
  expect(new Set(tokens).size).toBe(1)
  expect(refreshes()).toBe(1)
})

test('several sources on one file cause one refresh', async () => {
  await stage.writeAuth(login(-MINUTE))
  stage.issuer.delayMs = 20
  const sources = [stage.source(), stage.source(), stage.source()]
  const tokens = await Promise.all(sources.map(async (source) => tokenOf(await source.current())))
  expect(new Set(tokens).size).toBe(1)
  expect(refreshes()).toBe(1)
})

test('a missing token in the answer keeps the stored one', async () => {
  const auth = login(-MINUTE)
  await stage.writeAuth(auth)
  const access = unsignedJwt({ exp: Date.now() / 1000 + 3600 })
  stage.issuer.answerNext(200, { access_token: access, id_token: null })
  expect(tokenOf(await stage.source().current())).toBe(access)
  expect((await stage.readAuth()).tokens).toEqual({ ...auth.tokens, access_token: access })
})

test('an answer without access token fails once and is not asked for again', async () => {
  await stage.writeAuth(login(-MINUTE))
  stage.issuer.answerNext(200, {})
  const source = stage.source()
  expect(await errorOf(source.current())).toMatchObject({ code: 'login_expired' })
  expect(await errorOf(source.current())).toMatchObject({ code: 'login_expired' })
  expect(refreshes()).toBe(1)
})

test('tokens that seem to have expired on arrival are used: our clock may be fast', async () => {
  await stage.writeAuth(login(-MINUTE))
  stage.issuer.lifetimeMs = -30 * MINUTE
  const source = stage.source()
  const first = tokenOf(await source.current())
  expect(tokenOf(await source.current())).toBe(first)
  expect(refreshes()).toBe(1)
})

test('nor do two programs refresh in turns then, since neither can tell what the other one got', async () => {
  let ahead = 20 * DAY
  await stage.writeAuth(login(-MINUTE))
  stage.issuer.lifetimeMs = 10 * DAY
  const sources = [1, 2].map(() => stage.source({ now: () => Date.now() + ahead }))
  for (const source of [...sources, ...sources, ...sources]) await source.current()
  // Each has to learn once that its clock is fast.
  expect(refreshes()).toBe(2)

  const [one] = sources
  const old = await one?.current()
  if (old === undefined) throw new Error('no credentials')
  // Upstream tells when a token is over; and once the clock is right, it counts again.
  ahead = 0
  await one?.replace(old)
  expect(refreshes()).toBe(3)
  await stage.writeAuth(login(-MINUTE))
  await one?.current()
  expect(refreshes()).toBe(4)
})

test('a login that another program writes while we refresh tells nothing about our clock', async () => {
  await stage.writeAuth(login(-MINUTE))
  let other: object | undefined = login(-MINUTE)
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
  expect(refreshes()).toBe(2)
})

test('tokens shorter-lived than the margin are used until they expire', async () => {
  let now = Date.now()
  await stage.writeAuth(login(-MINUTE))
  stage.issuer.lifetimeMs = 2 * MINUTE
  const source = stage.source({ now: () => now })
  await source.current()
  now += MINUTE
  await source.current()
  expect(refreshes()).toBe(1)
  now += 2 * MINUTE
  await source.current()
  expect(refreshes()).toBe(2)
})

test('a new login is picked up by the next request', async () => {
  const [one, other] = [login(DAY), login(DAY)]
  await stage.writeAuth(one)
  const source = stage.source()
  await source.current()
  await stage.writeAuth(other)
  expect(tokenOf(await source.current())).toBe(other.tokens.access_token)
})

test('a file that is just being written in place is read again a moment later', async () => {
  const auth = login(DAY)
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
  const auth = login(DAY)
  await stage.writeAuth(auth)
  expect(tokenOf(await stage.source({ files: heldFile('EBUSY', 3).files }).current())).toBe(auth.tokens.access_token)
  expect((await stage.source({ files: heldFile('EBUSY', 3).files }).status()).problem).toBeUndefined()
})

test('a file that stays held is not waited for for ever, and one without permission not at all', async () => {
  await stage.writeAuth(login(DAY))
  const forbidden = heldFile('EPERM', Number.POSITIVE_INFINITY)
  expect(await errorOf(stage.source(forbidden).current())).toMatchObject({ code: 'credentials_unreadable' })
  expect(forbidden.readFileSync).toHaveBeenCalledTimes(2) // By `ready`, and for the reason.
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 500))
  const held = heldFile('EBUSY', Number.POSITIVE_INFINITY)
  expect(await errorOf(stage.source(held).current())).toMatchObject({
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
    await stage.writeAuth(login(-MINUTE))
    stage.issuer.answerNext(401, refusal(code))
    const source = stage.source()
    const first = await errorOf(source.current())
    expect(first).toMatchObject({ code: 'login_expired', status: 401, message: expect.stringMatching(message) })
    expect(await errorOf(source.current())).toBe(first)
    expect(refreshes()).toBe(1)
    const status = await source.status()
    expect(status.problem).toMatchObject({ code: 'login_expired', remedy: expect.stringContaining('codex login') })
    expect(status.warning).toBeUndefined()

    const signedInAgain = login(DAY)
    await stage.writeAuth(signedInAgain)
    expect(tokenOf(await source.current())).toBe(signedInAgain.tokens.access_token)
    expect((await source.status()).problem).toBeUndefined()
  })
}

test('a refused early refresh is a warning while the access token is good', async () => {
  const auth = login(4 * MINUTE)
  await stage.writeAuth(auth)
  stage.issuer.answerNext(401, refusal('refresh_token_expired'))
  const source = stage.source()
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(refreshes()).toBe(1)
  expect(await source.status()).toMatchObject({ warning: expect.stringContaining('expired') })
  expect((await source.status()).problem).toBeUndefined()
})

test('a failed early refresh does not fail the request, and rests before it is tried again', async () => {
  let now = Date.now()
  const auth = login(4 * MINUTE)
  await stage.writeAuth(auth)
  const source = stage.source({ now: () => now })
  stage.issuer.answerNext(503, '')
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(refreshes()).toBe(1)
  expect((await source.status()).warning).toContain('503')
  now += MINUTE
  expect(tokenOf(await source.current())).not.toBe(auth.tokens.access_token)
  expect((await source.status()).warning).toBeUndefined()
})

test('a request whose token is still good does not wait long for a slow issuer', async () => {
  const auth = login(4 * MINUTE)
  await stage.writeAuth(auth)
  let answered = () => {}
  const slow = new Promise<void>((resolve) => {
    answered = resolve
  })
  const source = stage.source({ postToken: (url, body) => slow.then(() => post(url, body)) })
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  answered()
  await source.close()
  expect(tokenOf(await source.current())).not.toBe(auth.tokens.access_token)
})

test('a failed refresh of an expired token is a 503, never tried twice by one request, and the next one tries again', async () => {
  await stage.writeAuth(login(-MINUTE))
  const source = stage.source()
  stage.issuer.answerNext(500, '')
  expect(await errorOf(source.current())).toMatchObject({ code: 'refresh_failed', status: 503 })
  expect(refreshes()).toBe(1)
  expect((await source.status()).problem).toMatchObject({ code: 'refresh_failed' })
  await source.current()
  expect(refreshes()).toBe(2)
})

test('an issuer that wants to be asked less often is left alone for half a minute', async () => {
  await stage.writeAuth(login(-DAY))
  let now = Date.now()
  const source = stage.source({ now: () => now })
  const limited = {
    code: 'refresh_failed',
    message: expect.stringMatching(/HTTP 429.*half a minute/),
    // Not "in a moment", which would contradict the message.
    remedy: expect.stringMatching(/^Try again a little later; /),
  }
  stage.issuer.answerNext(429, {})
  expect(await errorOf(source.current())).toMatchObject(limited)
  now += 29_000
  expect(await errorOf(source.current())).toMatchObject(limited)
  expect((await source.status()).problem).toMatchObject(limited)
  expect(refreshes()).toBe(1)

  now += 1000
  stage.issuer.answerNext(429, {})
  expect(await errorOf(source.current())).toMatchObject(limited)
  expect(refreshes()).toBe(2)
  // A clock that is set back must not make the half minute hours.
  now -= 60 * MINUTE
  expect(tokenOf(await source.current())).toBe((await stage.readAuth()).tokens.access_token)
  expect(refreshes()).toBe(3)
})

test('an issuer that wants to be asked less often is asked at once for another login', async () => {
  await stage.writeAuth(login(-DAY))
  const source = stage.source()
  stage.issuer.answerNext(429, {})
  expect(await errorOf(source.current())).toMatchObject({ code: 'refresh_failed' })
  await stage.writeAuth(login(-MINUTE))
  expect(tokenOf(await source.current())).toBe((await stage.readAuth()).tokens.access_token)
})

test('reuse that somebody else is about to heal is waited for', async () => {
  const auth = login(-MINUTE)
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
  await stage.writeAuth(login(-MINUTE))
  const newer = login(DAY)
  const readFileSync = vi.fn(nodeFs.readFileSync)
  const source = stage.source({ healingMs: 30_000, files: { ...nodeFs, readFileSync: readFileSync as never } })
  stage.issuer.answerNext(401, refusal('refresh_token_reused'))
  const credentials = source.current()
  await expect.poll(refreshes).toBe(1)
  await stage.writeAuth('{ "tokens":')
  readFileSync.mockClear()
  await expect.poll(() => readFileSync.mock.calls.length).toBeGreaterThan(0)
  await stage.writeAuth(newer)
  expect(tokenOf(await credentials)).toBe(newer.tokens.access_token)
})

test('an API key signed in with while we refresh serves all who wait, and no token is written over it', async () => {
  await stage.writeAuth(login(-MINUTE))
  const apiKey = { auth_mode: 'apikey', OPENAI_API_KEY: 'sk-made-up' }
  const source = stage.source({
    async postToken(url, body) {
      const answer = await post(url, body)
      await stage.writeAuth(apiKey)
      return answer
    },
  })
  for (const credentials of await Promise.all([source.current(), source.current()])) {
    expect(credentials).toEqual({ kind: 'api-key', apiKey: 'sk-made-up' })
  }
  expect(await stage.readAuth()).toEqual(apiKey)
})

test('an API key signed in with while another process refreshes is used at once', async () => {
  await stage.writeAuth(login(-MINUTE))
  let answered = () => {}
  const failing = new Promise<{ status: number; body: string }>((resolve) => {
    answered = () => resolve({ status: 503, body: '' })
  })
  const refreshing = errorOf(stage.source({ postToken: () => failing }).current())
  const waiting = stage.source().current()
  await stage.writeAuth({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-made-up' })
  expect(await waiting).toEqual({ kind: 'api-key', apiKey: 'sk-made-up' })
  answered()
  await refreshing
})

test('a newer login written while we refresh is not overwritten', async () => {
  await stage.writeAuth(login(-MINUTE))
  const newer = login(DAY)
  const source = stage.source({
    async postToken(url, body) {
      const answer = await post(url, body)
      await stage.writeAuth(newer)
      return answer
    },
  })
  expect(tokenOf(await source.current())).toBe(newer.tokens.access_token)
  expect(await stage.readAuth()).toEqual(newer)
})

test('a logout while we refresh stays a logout', async () => {
  await stage.writeAuth(login(-MINUTE))
  const source = stage.source({
    async postToken(url, body) {
      const answer = await post(url, body)
      rmSync(stage.authPath)
      return answer
    },
  })
  expect(await errorOf(source.current())).toMatchObject({ code: 'credentials_missing' })
  expect(statSync(stage.authPath, { throwIfNoEntry: false })).toBeUndefined()
})

test('signing in with an agent identity while we refresh ends the login before', async () => {
  await stage.writeAuth(login(-MINUTE))
  const source = stage.source({
    async postToken(url, body) {
      const answer = await post(url, body)
      await stage.writeAuth({ auth_mode: 'agentIdentity' })
      return answer
    },
  })
  expect(await errorOf(source.current())).toMatchObject({ code: 'credentials_unsupported' })
  expect((await source.status()).kind).toBe('none')
  expect(await stage.readAuth()).toEqual({ auth_mode: 'agentIdentity' })
})

test('other fields that change while we refresh are kept', async () => {
  const auth = login(-MINUTE)
  await stage.writeAuth(auth)
  const source = stage.source({
    async postToken(url, body) {
      const answer = await post(url, body)
      await stage.writeAuth({ ...auth, added: 'meanwhile' })
      return answer
    },
  })
  await source.current()
  expect(await stage.readAuth()).toMatchObject({ added: 'meanwhile' })
})

test('other fields that change while the new tokens are written beside the file are kept', async () => {
  const auth = login(-MINUTE)
  await stage.writeAuth(auth)
  const changed = JSON.stringify({ ...auth, added: 'meanwhile' })
  let writes = 0
  const fsyncSync = (file: number) => {
    nodeFs.fsyncSync(file)
    if (refreshes() === 1 && writes++ === 0) writeFileSync(stage.authPath, changed)
  }
  let beside: unknown
  const writeSync = ((...args: Parameters<typeof nodeFs.writeSync>) => {
    // A process that is killed here, before the tokens are written a second time, has left them.
    if (writes === 1) beside ??= leftTokens(stage.authPath, nodeFs, auth.tokens.refresh_token)?.tokens
    return nodeFs.writeSync(...args)
  }) as typeof nodeFs.writeSync
  const token = tokenOf(await stage.source({ files: { ...nodeFs, fsyncSync, writeSync } }).current())
  expect(beside).toMatchObject({ access_token: token })
  expect(await stage.readAuth()).toMatchObject({ added: 'meanwhile', tokens: { access_token: token } })
  expect(token).not.toBe(auth.tokens.access_token)
  expect(readdirSync(dirname(stage.authPath))).toEqual(['auth.json'])
})

test('a newer login that comes while the new tokens are written beside the file stays alone', async () => {
  await stage.writeAuth(login(-MINUTE))
  const newer = login(60 * MINUTE)
  const fsyncSync = (file: number) => {
    nodeFs.fsyncSync(file)
    if (refreshes() === 1) writeFileSync(stage.authPath, JSON.stringify(newer))
  }
  const token = tokenOf(await stage.source({ files: { ...nodeFs, fsyncSync } }).current())
  expect(token).toBe(newer.tokens.access_token)
  expect(await stage.readAuth()).toEqual(newer)
  expect(readdirSync(dirname(stage.authPath))).toEqual(['auth.json'])
})

test('new tokens lie beside a file that is malformed at the last look, for the case that we are killed', async () => {
  const auth = login(-MINUTE)
  await stage.writeAuth(auth)
  let writes = 0
  const fsyncSync = (file: number) => {
    nodeFs.fsyncSync(file)
    // Like an older Codex, which writes in place.
    if (refreshes() === 1 && writes++ === 0) writeFileSync(stage.authPath, '{"tok')
  }
  const token = tokenOf(await stage.source({ files: { ...nodeFs, fsyncSync } }).current())
  expect(leftTokens(stage.authPath, nodeFs, auth.tokens.refresh_token)?.tokens).toMatchObject({ access_token: token })
})

test('new tokens that could not be written are taken away from beside the file after a logout', async () => {
  await stage.writeAuth(login(-MINUTE))
  const files = { ...nodeFs, renameSync: failWith('EBUSY'), ftruncateSync: failWith('EIO') }
  const source = stage.source({ files })
  await source.current()
  expect(readdirSync(dirname(stage.authPath))).toHaveLength(2)
  rmSync(stage.authPath)
  expect((await source.status()).problem?.code).toBe('credentials_missing')
  expect(readdirSync(dirname(stage.authPath))).toEqual([])
})

test('a refresh goes on when nobody waits for it any more, and close waits for it', async () => {
  await stage.writeAuth(login(-MINUTE))
  stage.issuer.delayMs = 50
  const source = stage.source()
  const asked = source.current()
  await expect.poll(refreshes).toBe(1)
  await source.close()
  expect(stage.issuer.isRedeemable((await stage.readAuth()).tokens.refresh_token ?? '')).toBe(true)
  await asked
})

test('who stops while another process refreshes does not begin to, and ends at once', async () => {
  await stage.writeAuth(login(-MINUTE))
  let answered = () => {}
  const failing = new Promise<{ status: number; body: string }>((resolve) => {
    answered = () => resolve({ status: 503, body: '' })
  })
  const refreshing = errorOf(stage.source({ postToken: () => failing }).current())
  const stopping = stage.source()
  const waiting = errorOf(stopping.current())
  await stopping.close()
  expect(await waiting).toMatchObject({ code: 'draining' })
  answered()
  expect(await refreshing).toMatchObject({ code: 'refresh_failed' })
  expect(refreshes()).toBe(0)
})

test('a refusal is told soon also when the clock is set back meanwhile', async () => {
  await stage.writeAuth(login(DAY))
  const source = stage.source()
  const rejected = await source.current()
  stage.issuer.answerNext(401, refusal('refresh_token_reused'))
  let now = Date.now()
  vi.spyOn(Date, 'now').mockImplementation(() => {
    now -= 60 * MINUTE
    return now
  })
  const again = await source.replace(rejected)
  expect(await errorOf(source.replace(again))).toMatchObject({ code: 'login_expired' })
})

test('who stops after a refusal spends nothing more', async () => {
  await stage.writeAuth(login(-MINUTE))
  const newer = login(-MINUTE)
  const source = stage.source({ healingMs: 30_000 })
  stage.issuer.answerNext(401, refusal('refresh_token_reused'))
  const waiting = errorOf(source.current())
  await expect.poll(refreshes).toBe(1)
  const closed = source.close()
  await stage.writeAuth(newer)
  await closed
  expect(await waiting).toMatchObject({ code: 'draining' })
  expect(refreshes()).toBe(1)
})

/** A disk that is full at first, or whenever `full` says so. */
function fillingDisk(full = true) {
  const disk = { full, files: { ...nodeFs, writeSync: writeSync as never } }
  function writeSync(file: number, bytes: Buffer, at: number) {
    if (disk.full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    return nodeFs.writeSync(file, bytes, at)
  }
  return disk
}

test('on a full disk nothing is spent: the new tokens would be lost, and who else reads the file with them', async () => {
  const auth = login(4 * MINUTE)
  await stage.writeAuth(auth)
  let now = Date.now()
  const disk = fillingDisk()
  const source = stage.source({ files: disk.files, now: () => now })
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(await source.status()).toMatchObject({
    warning: expect.stringMatching(/can't be written beside .*ENOSPC.*not refreshed/),
  })
  now += 5 * MINUTE
  expect(await errorOf(source.current())).toMatchObject({ code: 'credentials_unwritable', status: 503 })
  expect((await source.status()).problem).toMatchObject({ code: 'credentials_unwritable' })
  expect(refreshes()).toBe(0)
  expect(nodeFs.readdirSync(stage.codexHome)).toEqual(['auth.json'])
  expect(await stage.readAuth()).toEqual(auth)

  disk.full = false
  expect(tokenOf(await source.current())).toBe((await stage.readAuth()).tokens.access_token)
  expect(refreshes()).toBe(1)
})

test('tokens that can’t be written are used from memory, warned of, and written as soon as possible', async () => {
  const auth = login(-MINUTE)
  await stage.writeAuth(auth)
  const disk = fillingDisk(false)
  const source = stage.source({
    files: disk.files,
    postToken(url, body) {
      disk.full = true
      return post(url, body)
    },
  })
  const token = tokenOf(await source.current())
  expect(await stage.readAuth()).toEqual(auth)
  expect(tokenOf(await source.current())).toBe(token)
  expect(await source.status()).toMatchObject({ warning: expect.stringContaining('memory only') })
  expect(stage.warnings.join()).toMatch(/COULD NOT BE WRITTEN.*ENOSPC/s)
  expect(refreshes()).toBe(1)

  disk.full = false
  await expect.poll(async () => (await stage.readAuth()).tokens.access_token, { timeout: 10_000 }).toBe(token)
  expect(tokenOf(await source.current())).toBe(token)
  expect((await source.status()).warning).toBeUndefined()
})

test('who stops waits for a file that somebody has for himself alone: the new tokens are nowhere else', async () => {
  await stage.writeAuth(login(-MINUTE))
  let held = 0
  const readFileSync = vi.fn((...read: Parameters<typeof nodeFs.readFileSync>) => {
    if (refreshes() > 0 && read[0] === stage.authPath && held++ < 4) return failWith('EBUSY')()
    return nodeFs.readFileSync(...read)
  })
  const source = stage.source({ files: { ...nodeFs, readFileSync } as Files })
  const asked = Promise.resolve(source.current()).catch(() => undefined)
  await expect.poll(refreshes).toBe(1)
  await source.close()
  await asked
  expect(stage.issuer.isRedeemable((await stage.readAuth()).tokens.refresh_token ?? '')).toBe(true)
})

test('who stops waits on Windows for a file that somebody reads: it can not be replaced meanwhile', async () => {
  await stage.writeAuth(login(-MINUTE))
  playPlatform('win32')
  const renameSync = vi.fn((...paths: Parameters<typeof nodeFs.renameSync>) => {
    return renameSync.mock.calls.length > 4 ? nodeFs.renameSync(...paths) : failWith('EPERM')()
  })
  const source = stage.source({ files: { ...nodeFs, renameSync } as Files })
  const token = tokenOf(await source.current())
  expect((await stage.readAuth()).tokens.access_token).not.toBe(token)
  await source.close()
  expect((await stage.readAuth()).tokens.access_token).toBe(token)
})

test('unsaved tokens are refreshed in turn, and the last ones are written over the first', async () => {
  let now = Date.now()
  await stage.writeAuth(login(-MINUTE))
  let readOnly = false
  const openSync = (path: string, flags: string, mode?: number) => {
    if (readOnly && flags !== 'r') throw Object.assign(new Error('read-only file system'), { code: 'EROFS' })
    return nodeFs.openSync(path, flags, mode)
  }
  const postToken = (url: string, body: object) => {
    readOnly = true // While the first refresh is under way; with nothing in hand it would not begin.
    return post(url, body)
  }
  const source = stage.source({ now: () => now, postToken, files: { ...nodeFs, openSync: openSync as never } })
  await source.current()
  now += 10 * DAY
  const token = tokenOf(await source.current())
  expect(refreshes()).toBe(2)
  readOnly = false
  await source.close()
  expect((await stage.readAuth()).tokens.access_token).toBe(token)
  expect(stage.issuer.reuses).toBe(0)
})

test('a login whose file is a mount of its own is refreshed and written', async () => {
  await stage.writeAuth({ ...login(-MINUTE), future_field: { kept: true } })
  const source = stage.source({ files: { ...nodeFs, renameSync: failWith('EBUSY') } })
  const token = tokenOf(await source.current())
  expect(await stage.readAuth()).toMatchObject({ future_field: { kept: true }, tokens: { access_token: token } })
  expect(stage.warnings).toEqual([])
  expect((await source.status()).warning).toBeUndefined()
})

test.each([
  ['with a copy beside it', {}],
  ['in a folder that takes no files', { openSync: openInPlaceOnly as never }],
])(
  'a file that could neither be written to its end in place nor put back is finished later: %s',
  async (_where, folder) => {
    await stage.writeAuth({ ...login(-MINUTE), future_field: { kept: true } })
    let broken = true
    const writeSync = (file: number, bytes: Buffer, ...place: number[]) => {
      if (broken && place.length === 3 && bytes.length > 1) failWith('EIO')()
      return nodeFs.writeSync(file, bytes, ...place)
    }
    const files = { ...nodeFs, renameSync: failWith('EBUSY'), writeSync: writeSync as never, ...folder }
    const source = stage.source({ files })
    const token = tokenOf(await source.current())
    expect(nodeFs.readFileSync(stage.authPath, 'utf8')).toMatch(/^#/)
    expect(tokenOf(await source.current())).toBe(token)
    broken = false
    const text = () => nodeFs.readFileSync(stage.authPath, 'utf8')
    // Somebody else may just be writing it.
    const soon = (Date.now() + 1500) / 1000
    utimesSync(stage.authPath, soon, soon)
    await source.close()
    expect(text()).toMatch(/^#/)
    await expect.poll(text, { timeout: 10_000 }).not.toMatch(/^#/)
    expect(await stage.readAuth()).toMatchObject({ future_field: { kept: true }, tokens: { access_token: token } })
    expect(nodeFs.readdirSync(stage.codexHome)).toEqual(['auth.json'])
    await expect.poll(async () => (await source.status()).warning).toBeUndefined()
    expect(stage.warnings.join()).toContain('the refreshed login is now written')
  },
)

function openInPlaceOnly(path: string, flags: string, mode?: number): number {
  return flags === 'wx' ? failWith('EACCES')() : nodeFs.openSync(path, flags, mode)
}

test('a login that can’t be written is not refreshed: the new tokens would be lost when the proxy stops', async () => {
  const auth = login(4 * MINUTE)
  await stage.writeAuth(auth)
  let now = Date.now()
  const files = { ...nodeFs, openSync: failWith('EACCES') as never, accessSync: failWith('EACCES') }
  const source = stage.source({ files, now: () => now })
  const credentials = await source.current()
  expect(tokenOf(credentials)).toBe(auth.tokens.access_token)
  expect(await source.status()).toMatchObject({ warning: expect.stringContaining("can't be written") })
  expect((await source.status()).problem).toBeUndefined()
  expect((await stage.source({ files, mode: 'read-only' }).status()).warning).toBeUndefined()
  now += 5 * MINUTE
  const stale = { code: 'login_stale', status: 401, message: expect.stringContaining(stage.authPath) }
  expect(await errorOf(source.current())).toMatchObject(stale)
  expect(await errorOf(source.replace(credentials))).toMatchObject(stale)
  expect((await source.status()).problem).toMatchObject({ code: 'login_stale' })
  expect(refreshes()).toBe(0)
  expect(await stage.readAuth()).toEqual(auth)

  const newer = { ...login(10 * MINUTE) }
  await stage.writeAuth(newer)
  expect(tokenOf(await source.current())).toBe(newer.tokens.access_token)
})

/** What a process leaves that was killed after it had spent the refresh token in the file, and the tokens in it. */
async function leaveBehind(auth: ReturnType<typeof login>) {
  const { refresh_token } = auth.tokens
  const answer = await post(stage.issuer.url, { grant_type: 'refresh_token', refresh_token })
  const { id_token, access_token, refresh_token: next } = JSON.parse(answer.body)
  const tokens = { id_token, access_token, refresh_token: next }
  dieWriting(auth, tokens)
  return tokens
}

function dieWriting(auth: ReturnType<typeof login>, tokens: NewTokens): void {
  const dying = { ...nodeFs, renameSync: failWith('EBUSY'), ftruncateSync: failWith('killed') }
  const json = JSON.stringify(withTokens(auth, tokens, Date.now()))
  const replacement = { json, spentToken: auth.tokens.refresh_token, mayReplace: () => true }
  expect(() => replaceAuthFile(stage.authPath, dying, replacement)).toThrow('killed')
}

test('tokens left by a killed process are taken, and what auth.json has got since stays', async () => {
  const auth = login(-MINUTE)
  await stage.writeAuth(auth)
  const left = await leaveBehind(auth)
  await stage.writeAuth({ ...auth, added: 'since', tokens: { ...auth.tokens, added: 'since' } })
  expect(tokenOf(await stage.source().current())).toBe(left.access_token)
  expect(await stage.readAuth()).toMatchObject({ added: 'since', tokens: { ...left, added: 'since' } })
  expect(refreshes()).toBe(1)
})

test('tokens left by a killed process for which no refresh token was spent do not take the place of what the file got since', async () => {
  const auth = login(-MINUTE)
  await stage.writeAuth(auth)
  const { access_token } = login(DAY).tokens
  dieWriting(auth, { access_token })
  await stage.writeAuth(auth)
  expect(tokenOf(await stage.source().current())).not.toBe(access_token)
  expect(refreshes()).toBe(1)
})

test('tokens left by a killed process that can’t be put in place are used, rather than the spent one presented again', async () => {
  const auth = login(-MINUTE)
  await stage.writeAuth(auth)
  const left = await leaveBehind(auth)
  await stage.writeAuth(auth)
  const source = stage.source({ files: { ...nodeFs, writeSync: failWith('ENOSPC') } })
  expect(tokenOf(await source.current())).toBe(left.access_token)
  expect(refreshes()).toBe(1)
  expect(stage.issuer.reuses).toBe(0)
  expect(tokenOf(await stage.source().current())).toBe(left.access_token)
  expect((await stage.readAuth()).tokens.access_token).toBe(left.access_token)
})

test('a file that a killed process has written half is completed, by whoever may write', async () => {
  const auth = { ...login(-MINUTE), future_field: { kept: true } }
  await stage.writeAuth(auth)
  const left = await leaveBehind(auth)
  await stage.writeAuth('#half')
  expect(await errorOf(stage.source().current())).toMatchObject({ code: 'credentials_malformed' }) // Who knows.
  utimesSync(stage.authPath, 1_700_000_000, 1_700_000_000)
  expect(await errorOf(stage.source({ mode: 'read-only' }).current())).toMatchObject({ code: 'credentials_malformed' })
  expect(tokenOf(await stage.source().current())).toBe(left.access_token)
  expect(await stage.readAuth()).toMatchObject({ future_field: { kept: true }, tokens: left })
  expect(nodeFs.readdirSync(stage.codexHome)).toEqual(['auth.json'])
})

test('unsaved tokens give way to a login that somebody else writes', async () => {
  await stage.writeAuth(login(-MINUTE))
  const renameSync = () => {
    throw new Error('EPERM')
  }
  const source = stage.source({ files: { ...nodeFs, renameSync } })
  await source.current()
  const newer = login(DAY)
  await stage.writeAuth(newer)
  expect(tokenOf(await source.current())).toBe(newer.tokens.access_token)
  await source.close()
  expect(await stage.readAuth()).toEqual(newer)
})

test('unsaved tokens are given up when somebody signs in with what only Codex can use', async () => {
  await stage.writeAuth(login(-MINUTE))
  const source = stage.source({ files: { ...nodeFs, renameSync: failWith('EIO') } })
  await source.current()
  await stage.writeAuth({ auth_mode: 'bedrockApiKey' })
  expect(await errorOf(source.current())).toMatchObject({ code: 'credentials_unsupported' })
})

test('unsaved tokens are used while the file can’t be read, and given up when it is deleted', async () => {
  await stage.writeAuth(login(-MINUTE))
  const renameSync = () => {
    throw new Error('EPERM')
  }
  const source = stage.source({ files: { ...nodeFs, renameSync } })
  const token = tokenOf(await source.current())
  await stage.writeAuth('{')
  expect(tokenOf(await source.current())).toBe(token)
  rmSync(stage.authPath)
  expect(await errorOf(source.current())).toMatchObject({ code: 'credentials_missing' })
})

test('a 401 brings what the file holds by now, without a refresh', async () => {
  const [one, other] = [login(DAY), login(DAY)]
  await stage.writeAuth(one)
  const source = stage.source()
  const rejected = await source.current()
  await stage.writeAuth(other)
  expect(tokenOf(await source.replace(rejected))).toBe(other.tokens.access_token)
  expect(refreshes()).toBe(0)
})

test('a 401 to what the file still holds brings refreshed tokens, once, for everybody', async () => {
  await stage.writeAuth(login(DAY))
  const source = stage.source()
  const rejected = await source.current()
  const replaced = await Promise.all(Array.from({ length: 50 }, () => source.replace(rejected)))
  expect(new Set(replaced.map(tokenOf)).size).toBe(1)
  expect(tokenOf(replaced[0] as never)).toBe((await stage.readAuth()).tokens.access_token)
  expect(refreshes()).toBe(1)
})

test('a 401 to what a refresh under way comes back with is followed by one more refresh', async () => {
  await stage.writeAuth(login(4 * MINUTE))
  const newer = login(DAY)
  let answered = () => {}
  const slow = new Promise<void>((resolve) => {
    answered = resolve
  })
  const postToken = vi.fn((url: string, body: object) => slow.then(() => post(url, body)))
  const source = stage.source({ postToken })
  const early = source.current()
  await expect.poll(() => postToken.mock.calls.length).toBe(1)
  // While the issuer is asked for the old login, another one is written, and refused by upstream.
  await stage.writeAuth(newer)
  const rejected = await source.current()
  expect(tokenOf(rejected)).toBe(newer.tokens.access_token)
  const replaced = source.replace(rejected)
  answered()
  expect(tokenOf(await replaced)).not.toBe(newer.tokens.access_token)
  expect(refreshes()).toBe(2)
  await early
})

test('a 401 to tokens refreshed for a 401 ends it, and for a while nobody refreshes them again in vain', async () => {
  let now = Date.now()
  await stage.writeAuth(login(DAY))
  const source = stage.source({ now: () => now })
  const replaced = await source.replace(await source.current())
  expect(await errorOf(source.replace(replaced))).toMatchObject({ code: 'upstream_rejected_credentials' })
  expect(await errorOf(source.replace(await source.current()))).toMatchObject({ code: 'upstream_rejected_credentials' })
  expect(refreshes()).toBe(1)
  now += 2 * MINUTE
  const again = await source.replace(await source.current())
  expect(refreshes()).toBe(2)

  expect(await errorOf(source.replace(again))).toMatchObject({ code: 'upstream_rejected_credentials' })
  // A clock that is set back must not make the minute hours.
  now -= 60 * MINUTE
  await source.replace(await source.current())
  expect(refreshes()).toBe(3)
})

test('refreshed tokens that served for a while are refreshed again after a 401', async () => {
  await stage.writeAuth(login(DAY))
  const source = stage.source()
  await source.replace(await source.current())
  await source.replace(await source.current())
  expect(refreshes()).toBe(2)
})

test('after a 401 another account in the file is used, and nothing of the old login is refreshed or written', async () => {
  await stage.writeAuth(login(DAY))
  const source = stage.source()
  const rejected = await source.current()
  const other = login(DAY)
  await stage.writeAuth(other)
  const used = await source.replace(rejected)
  expect(used).toMatchObject({ kind: 'chatgpt', accountId: other.tokens.account_id })
  expect(refreshes()).toBe(0)
  expect(await stage.readAuth()).toEqual(other)
})

test('after a 401 an API key in the file is used', async () => {
  await stage.writeAuth(login(DAY))
  const source = stage.source()
  const rejected = await source.current()
  await stage.writeAuth({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-1' })
  expect(await source.replace(rejected)).toEqual({ kind: 'api-key', apiKey: 'sk-1' })
})

test('a 401 and a refused refresh bring the same tokens once more, and a 401 to these ends requests at once from then on, without network', async () => {
  await stage.writeAuth(login(DAY))
  const source = stage.source()
  stage.issuer.answerNext(401, refusal('refresh_token_invalidated'))
  const rejected = await source.current()
  const again = await source.replace(rejected)
  expect(again).toEqual(rejected)
  expect(await source.current()).toEqual(rejected)
  expect(await errorOf(source.replace(again))).toMatchObject({ code: 'login_expired' })
  expect(await errorOf(source.current())).toMatchObject({ code: 'login_expired' })
  expect((await source.status()).problem).toMatchObject({ code: 'login_expired' })
  expect(refreshes()).toBe(1)
})

test('after a 401 and a refused refresh a new access token in the file is used, also beside the same refresh token', async () => {
  const auth = login(DAY)
  await stage.writeAuth(auth)
  const source = stage.source()
  stage.issuer.answerNext(401, refusal('refresh_token_invalidated'))
  const again = await source.replace(await source.current())
  expect(await errorOf(source.replace(again))).toMatchObject({ code: 'login_expired' })
  const newer = login(DAY).tokens.access_token
  await stage.writeAuth({ ...auth, tokens: { ...auth.tokens, access_token: newer } })
  expect(tokenOf(await source.current())).toBe(newer)
  expect((await source.status()).problem).toBeUndefined()
})

test('a 401 to an API key or a personal access token can’t be helped', async () => {
  await stage.writeAuth({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-1' })
  const source = stage.source()
  const rejected = await source.current()
  expect(await errorOf(source.replace(rejected))).toMatchObject({ code: 'upstream_rejected_credentials' })
  await stage.writeAuth({ OPENAI_API_KEY: null, personal_access_token: 'at-1' })
  const personal = await source.current()
  expect(personal).toMatchObject({ kind: 'chatgpt', accessToken: 'at-1', accountId: undefined })
  expect(await errorOf(source.replace(personal))).toMatchObject({ status: 401 })
  expect(refreshes()).toBe(0)
})

test('read-only mode never refreshes or writes, and takes what Codex writes', async () => {
  const auth = login(4 * MINUTE)
  await stage.writeAuth(auth)
  let now = Date.now()
  const source = stage.source({ mode: 'read-only', now: () => now })
  const credentials = await source.current()
  expect(tokenOf(credentials)).toBe(auth.tokens.access_token)
  expect(await errorOf(source.replace(credentials))).toMatchObject({ code: 'login_stale', status: 401 })
  now += 5 * MINUTE
  const error = await errorOf(source.current())
  expect(error).toMatchObject({ code: 'login_stale', remedy: expect.stringContaining('codex') })
  expect((await source.status()).problem).toMatchObject({ code: 'login_stale' })
  expect(await stage.readAuth()).toEqual(auth)
  expect(refreshes()).toBe(0)

  const newer = login(DAY)
  await stage.writeAuth(newer)
  expect(tokenOf(await source.current())).toBe(newer.tokens.access_token)
})

test('tokens without refresh token work until they expire', async () => {
  const { refresh_token: _, ...tokens } = login(MINUTE).tokens
  await stage.writeAuth({ tokens })
  let now = Date.now()
  const source = stage.source({ now: () => now })
  expect(tokenOf(await source.current())).toBe(tokens.access_token)
  now += 2 * MINUTE
  expect(await errorOf(source.current())).toMatchObject({ code: 'login_expired' })
  expect((await source.status()).problem).toMatchObject({ code: 'login_expired' })
})

test('a refresh token of another issuer is sent to nobody', async () => {
  const auth = login(-MINUTE)
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
  expect(await errorOf(source.current())).toMatchObject({ code: 'credentials_unsupported' })
  expect(posted).toEqual([])
})

test('the status shows the account, never a token', async () => {
  const auth = login(DAY)
  await stage.writeAuth(auth)
  const status = await stage.source().status()
  shown.push(status)
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
