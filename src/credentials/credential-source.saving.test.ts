import * as nodeFs from 'node:fs'
import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { IssuedAuth } from '../../test/fake-upstream/token-issuer.ts'
import { deferred } from '../../test/support/deferred.ts'
import { failWith } from '../../test/support/fail-with.ts'
import { type LoginStage, post, type SourceSettings, startLoginStage, tokenOf } from '../../test/support/login-stage.ts'
import { playPlatform } from '../../test/support/platform.ts'
import type { Files } from './auth-file.ts'
import { replaceAuthFile, withTokens } from './auth-file-write.ts'
import type { CredentialSource } from './credentials.ts'
import { leftTokens } from './leftovers.ts'
import type { NewTokens } from './refresh.ts'

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

/** `during` is called when the issuer has answered and nobody has the new tokens yet. */
function sourceRefreshing(during: () => unknown, settings: SourceSettings = {}): CredentialSource {
  return stage.source({
    ...settings,
    async postToken(url, body) {
      const answer = await post(url, body)
      await during()
      return answer
    },
  })
}

test('an API key signed in with while we refresh serves all who wait, and no token is written over it', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const apiKey = { auth_mode: 'apikey', OPENAI_API_KEY: 'sk-made-up' }
  const source = sourceRefreshing(() => stage.writeAuth(apiKey))
  for (const credentials of await Promise.all([source.current(), source.current()])) {
    expect(credentials).toEqual({ kind: 'api-key', apiKey: 'sk-made-up' })
  }
  expect(await stage.readAuth()).toEqual(apiKey)
})

test('an API key signed in with while another process refreshes is used at once', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const answer = deferred<{ status: number; body: string }>()
  const refreshing = stage.errorOf(stage.source({ postToken: () => answer.promise }).current())
  const waiting = stage.source().current()
  await stage.writeAuth({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-made-up' })
  expect(await waiting).toEqual({ kind: 'api-key', apiKey: 'sk-made-up' })
  answer.resolve({ status: 503, body: '' })
  await refreshing
})

test('a newer login written while we refresh is not overwritten', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const newer = stage.login(DAY)
  const source = sourceRefreshing(() => stage.writeAuth(newer))
  expect(tokenOf(await source.current())).toBe(newer.tokens.access_token)
  expect(await stage.readAuth()).toEqual(newer)
})

test('a logout while we refresh stays a logout', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const source = sourceRefreshing(() => rmSync(stage.authPath))
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'credentials_missing' })
  expect(statSync(stage.authPath, { throwIfNoEntry: false })).toBeUndefined()
})

test('a folder that is away while we refresh finds its new tokens when it is back', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const away = `${stage.codexHome}-away`
  const source = sourceRefreshing(() => renameSync(stage.codexHome, away))
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'credentials_missing' })
  renameSync(away, stage.codexHome)
  const token = tokenOf(await source.current())
  await source.close()
  expect((await stage.readAuth()).tokens.access_token).toBe(token)
  expect(stage.refreshes()).toBe(1)
})

test('nobody has to ask: the new tokens are looked after each second, and written when the login is back', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const away = `${stage.authPath}-away`
  const timers = vi.spyOn(globalThis, 'setTimeout')
  const source = sourceRefreshing(() => renameSync(stage.authPath, away))
  await stage.errorOf(source.current())
  const lookAgain = () => timers.mock.calls.findLast(([, ms]) => ms === 1000)?.[0]()
  lookAgain()
  renameSync(away, stage.authPath)
  lookAgain()
  expect((await stage.readAuth()).tokens.access_token).toBe(tokenOf(await source.current()))
})

/** Lets auth.json be a link to the login of one of several accounts. */
function choose(account: string): void {
  rmSync(stage.authPath, { force: true })
  symlinkSync(account, stage.authPath)
}

test('an account that a link no longer leads to while we refresh finds its new tokens when it is chosen again', async () => {
  const [work, home] = [join(stage.codexHome, 'work.json'), join(stage.codexHome, 'home.json')]
  writeFileSync(work, JSON.stringify(stage.login(-MINUTE)))
  writeFileSync(home, JSON.stringify(stage.login(DAY)))
  choose(work)
  const source = sourceRefreshing(() => choose(home))
  const { access_token } = JSON.parse(readFileSync(home, 'utf8')).tokens
  expect(tokenOf(await source.current())).toBe(access_token)
  choose(work)
  const token = tokenOf(await source.current())
  expect(token).not.toBe(access_token)
  await source.close()
  expect(JSON.parse(readFileSync(work, 'utf8')).tokens.access_token).toBe(token)
  expect(JSON.parse(readFileSync(home, 'utf8')).tokens.access_token).toBe(access_token)
})

test('an account that is refreshed meanwhile does not cost another one what waits for its return', async () => {
  const [work, home] = [join(stage.codexHome, 'work.json'), join(stage.codexHome, 'home.json')]
  writeFileSync(work, JSON.stringify(stage.login(-MINUTE)))
  writeFileSync(home, JSON.stringify(stage.login(-MINUTE)))
  choose(work)
  const leave = vi.fn(() => {}).mockImplementationOnce(() => choose(home))
  const source = sourceRefreshing(leave)
  await source.current()
  await source.current()
  expect(stage.refreshes()).toBe(2)
  choose(work)
  const token = tokenOf(await source.current())
  await source.close()
  expect(JSON.parse(readFileSync(work, 'utf8')).tokens.access_token).toBe(token)
  expect(stage.refreshes()).toBe(2)
})

test('signing in with an agent identity while we refresh ends the login before', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const source = sourceRefreshing(() => stage.writeAuth({ auth_mode: 'agentIdentity' }))
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'credentials_unsupported' })
  expect((await source.status()).kind).toBe('none')
  expect(await stage.readAuth()).toEqual({ auth_mode: 'agentIdentity' })
})

test('other fields that change while we refresh are kept', async () => {
  const auth = stage.login(-MINUTE)
  await stage.writeAuth(auth)
  const source = sourceRefreshing(() => stage.writeAuth({ ...auth, added: 'meanwhile' }))
  await source.current()
  expect(await stage.readAuth()).toMatchObject({ added: 'meanwhile' })
})

test('other fields that change while the new tokens are written beside the file are kept', async () => {
  const auth = stage.login(-MINUTE)
  await stage.writeAuth(auth)
  const changed = JSON.stringify({ ...auth, added: 'meanwhile' })
  let writes = 0
  const fsyncSync = (file: number) => {
    nodeFs.fsyncSync(file)
    if (stage.refreshes() === 1 && writes++ === 0) writeFileSync(stage.authPath, changed)
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
  await stage.writeAuth(stage.login(-MINUTE))
  const newer = stage.login(60 * MINUTE)
  const fsyncSync = (file: number) => {
    nodeFs.fsyncSync(file)
    if (stage.refreshes() === 1) writeFileSync(stage.authPath, JSON.stringify(newer))
  }
  const token = tokenOf(await stage.source({ files: { ...nodeFs, fsyncSync } }).current())
  expect(token).toBe(newer.tokens.access_token)
  expect(await stage.readAuth()).toEqual(newer)
  expect(readdirSync(dirname(stage.authPath))).toEqual(['auth.json'])
})

test('new tokens lie beside a file that is malformed at the last look, for the case that we are killed', async () => {
  const auth = stage.login(-MINUTE)
  await stage.writeAuth(auth)
  let writes = 0
  const fsyncSync = (file: number) => {
    nodeFs.fsyncSync(file)
    // Like an older Codex, which writes in place.
    if (stage.refreshes() === 1 && writes++ === 0) writeFileSync(stage.authPath, '{"tok')
  }
  const token = tokenOf(await stage.source({ files: { ...nodeFs, fsyncSync } }).current())
  expect(leftTokens(stage.authPath, nodeFs, auth.tokens.refresh_token)?.tokens).toMatchObject({ access_token: token })
})

/** New tokens that could not be written lie beside the file, which a logout has deleted. */
async function loggedOutBeforeWriting(): Promise<CredentialSource> {
  await stage.writeAuth(stage.login(-MINUTE))
  const files = { ...nodeFs, renameSync: failWith('EBUSY'), ftruncateSync: failWith('EIO') }
  const source = stage.source({ files })
  await source.current()
  expect(readdirSync(dirname(stage.authPath))).toHaveLength(2)
  rmSync(stage.authPath)
  return source
}

test('new tokens that could not be written are taken away from beside the file after a logout', async () => {
  const source = await loggedOutBeforeWriting()
  expect((await source.status()).problem?.code).toBe('credentials_missing')
  expect(readdirSync(dirname(stage.authPath))).toEqual([])
})

test('nor does a stop after a logout leave them there', async () => {
  const source = await loggedOutBeforeWriting()
  await source.close()
  expect(readdirSync(dirname(stage.authPath))).toEqual([])
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
  const auth = stage.login(4 * MINUTE)
  await stage.writeAuth(auth)
  let now = Date.now()
  const disk = fillingDisk()
  const source = stage.source({ files: disk.files, now: () => now })
  expect(tokenOf(await source.current())).toBe(auth.tokens.access_token)
  expect(await source.status()).toMatchObject({
    warning: expect.stringMatching(/can't be written beside .*ENOSPC.*not refreshed/),
  })
  now += 5 * MINUTE
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'credentials_unwritable', status: 503 })
  expect((await source.status()).problem).toMatchObject({ code: 'credentials_unwritable' })
  expect(stage.refreshes()).toBe(0)
  expect(nodeFs.readdirSync(stage.codexHome)).toEqual(['auth.json'])
  expect(await stage.readAuth()).toEqual(auth)

  disk.full = false
  expect(tokenOf(await source.current())).toBe((await stage.readAuth()).tokens.access_token)
  expect(stage.refreshes()).toBe(1)
})

test('tokens that can’t be written are used from memory, warned of, and written as soon as possible', async () => {
  const auth = stage.login(-MINUTE)
  await stage.writeAuth(auth)
  const disk = fillingDisk(false)
  const fill = () => {
    disk.full = true
  }
  const source = sourceRefreshing(fill, { files: disk.files })
  const token = tokenOf(await source.current())
  expect(await stage.readAuth()).toEqual(auth)
  expect(tokenOf(await source.current())).toBe(token)
  expect(await source.status()).toMatchObject({ warning: expect.stringContaining('memory only') })
  expect(stage.warnings.join()).toMatch(/COULD NOT BE WRITTEN.*ENOSPC/s)
  expect(stage.refreshes()).toBe(1)

  disk.full = false
  await expect.poll(async () => (await stage.readAuth()).tokens.access_token).toBe(token)
  expect(tokenOf(await source.current())).toBe(token)
  expect((await source.status()).warning).toBeUndefined()
  expect(stage.warnings.at(-1)).toContain('is now written')
})

test('who stops waits for a file that somebody has for himself alone: the new tokens are nowhere else', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  let held = 0
  const readFileSync = vi.fn((...read: Parameters<typeof nodeFs.readFileSync>) => {
    if (stage.refreshes() > 0 && read[0] === stage.authPath && held++ < 4) return failWith('EBUSY')()
    return nodeFs.readFileSync(...read)
  })
  const source = stage.source({ files: { ...nodeFs, readFileSync } as Files })
  const asked = Promise.resolve(source.current()).catch(() => undefined)
  await expect.poll(stage.refreshes).toBe(1)
  await source.close()
  await asked
  expect(stage.issuer.isRedeemable((await stage.readAuth()).tokens.refresh_token ?? '')).toBe(true)
})

test('who stops waits on Windows for a file that somebody reads: it can not be replaced meanwhile', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
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
  await stage.writeAuth(stage.login(-MINUTE))
  let readOnly = false
  const openSync = (path: string, flags: string, mode?: number) => {
    if (readOnly && flags !== 'r') throw Object.assign(new Error('read-only file system'), { code: 'EROFS' })
    return nodeFs.openSync(path, flags, mode)
  }
  const mountReadOnly = () => {
    readOnly = true
  }
  // While the first refresh is under way; with nothing in hand it would not begin.
  const source = sourceRefreshing(mountReadOnly, { now: () => now, files: { ...nodeFs, openSync: openSync as never } })
  await source.current()
  now += 10 * DAY
  const token = tokenOf(await source.current())
  expect(stage.refreshes()).toBe(2)
  readOnly = false
  await source.close()
  expect((await stage.readAuth()).tokens.access_token).toBe(token)
  expect(stage.issuer.reuses).toBe(0)
})

test('a login whose file is a mount of its own is refreshed and written', async () => {
  await stage.writeAuth({ ...stage.login(-MINUTE), future_field: { kept: true } })
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
    await stage.writeAuth({ ...stage.login(-MINUTE), future_field: { kept: true } })
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
    const now = Date.now()
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now)
    utimesSync(stage.authPath, now / 1000, now / 1000)
    await source.close()
    expect(text()).toMatch(/^#/)
    clock.mockRestore()
    await expect.poll(text).not.toMatch(/^#/)
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
  const auth = stage.login(4 * MINUTE)
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
  expect(await stage.errorOf(source.current())).toMatchObject(stale)
  expect(await stage.errorOf(source.replace(credentials))).toMatchObject(stale)
  expect((await source.status()).problem).toMatchObject({ code: 'login_stale' })
  expect(stage.refreshes()).toBe(0)
  expect(await stage.readAuth()).toEqual(auth)

  const newer = { ...stage.login(10 * MINUTE) }
  await stage.writeAuth(newer)
  expect(tokenOf(await source.current())).toBe(newer.tokens.access_token)
})

/** What a process leaves that was killed after it had spent the refresh token in the file, and the tokens in it. */
async function leaveBehind(auth: IssuedAuth) {
  const { refresh_token } = auth.tokens
  const answer = await post(stage.issuer.url, { grant_type: 'refresh_token', refresh_token })
  const { id_token, access_token, refresh_token: next } = JSON.parse(answer.body)
  const tokens = { id_token, access_token, refresh_token: next }
  dieWriting(auth, tokens)
  return tokens
}

function dieWriting(auth: IssuedAuth, tokens: NewTokens): void {
  const dying = { ...nodeFs, renameSync: failWith('EBUSY'), ftruncateSync: failWith('killed') }
  const json = JSON.stringify(withTokens(auth, tokens, Date.now()))
  const replacement = { json, spentToken: auth.tokens.refresh_token, mayReplace: () => true }
  expect(() => replaceAuthFile(stage.authPath, dying, replacement)).toThrow('killed')
}

test('tokens left by a killed process are taken, and what auth.json has got since stays', async () => {
  const auth = stage.login(-MINUTE)
  await stage.writeAuth(auth)
  const left = await leaveBehind(auth)
  await stage.writeAuth({ ...auth, added: 'since', tokens: { ...auth.tokens, added: 'since' } })
  expect(tokenOf(await stage.source().current())).toBe(left.access_token)
  expect(await stage.readAuth()).toMatchObject({ added: 'since', tokens: { ...left, added: 'since' } })
  expect(stage.refreshes()).toBe(1)
})

test('tokens left by a killed process for which no refresh token was spent do not take the place of what the file got since', async () => {
  const auth = stage.login(-MINUTE)
  await stage.writeAuth(auth)
  const { access_token } = stage.login(DAY).tokens
  dieWriting(auth, { access_token })
  await stage.writeAuth(auth)
  expect(tokenOf(await stage.source().current())).not.toBe(access_token)
  expect(stage.refreshes()).toBe(1)
})

test('tokens left by a killed process that can’t be put in place are used, rather than the spent one presented again', async () => {
  const auth = stage.login(-MINUTE)
  await stage.writeAuth(auth)
  const left = await leaveBehind(auth)
  await stage.writeAuth(auth)
  const source = stage.source({ files: { ...nodeFs, writeSync: failWith('ENOSPC') } })
  expect(tokenOf(await source.current())).toBe(left.access_token)
  expect(stage.refreshes()).toBe(1)
  expect(stage.issuer.reuses).toBe(0)
  expect(tokenOf(await stage.source().current())).toBe(left.access_token)
  expect((await stage.readAuth()).tokens.access_token).toBe(left.access_token)
})

test('a file that a killed process has written half is completed, by whoever may write', async () => {
  const auth = { ...stage.login(-MINUTE), future_field: { kept: true } }
  await stage.writeAuth(auth)
  const left = await leaveBehind(auth)
  await stage.writeAuth('#half')
  expect(await stage.errorOf(stage.source().current())).toMatchObject({ code: 'credentials_malformed' }) // Who knows.
  utimesSync(stage.authPath, 1_700_000_000, 1_700_000_000)
  expect(await stage.errorOf(stage.source({ mode: 'read-only' }).current())).toMatchObject({
    code: 'credentials_malformed',
  })
  expect(tokenOf(await stage.source().current())).toBe(left.access_token)
  expect(await stage.readAuth()).toMatchObject({ future_field: { kept: true }, tokens: left })
  expect(nodeFs.readdirSync(stage.codexHome)).toEqual(['auth.json'])
})

test('unsaved tokens give way to a login that somebody else writes', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const renameSync = () => {
    throw new Error('EPERM')
  }
  const source = stage.source({ files: { ...nodeFs, renameSync } })
  await source.current()
  const newer = stage.login(DAY)
  await stage.writeAuth(newer)
  expect(tokenOf(await source.current())).toBe(newer.tokens.access_token)
  await source.close()
  expect(await stage.readAuth()).toEqual(newer)
})

test('unsaved tokens are given up when somebody signs in with what only Codex can use', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const source = stage.source({ files: { ...nodeFs, renameSync: failWith('EIO') } })
  await source.current()
  await stage.writeAuth({ auth_mode: 'bedrockApiKey' })
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'credentials_unsupported' })
})

test('unsaved tokens are used while the file can’t be read, and given up when it is deleted', async () => {
  await stage.writeAuth(stage.login(-MINUTE))
  const renameSync = () => {
    throw new Error('EPERM')
  }
  const source = stage.source({ files: { ...nodeFs, renameSync } })
  const token = tokenOf(await source.current())
  await stage.writeAuth('{')
  expect(tokenOf(await source.current())).toBe(token)
  rmSync(stage.authPath)
  expect(await stage.errorOf(source.current())).toMatchObject({ code: 'credentials_missing' })
})
