import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { deferred } from '../../../test/support/deferred.ts'
import type { Credentials } from '../../credentials/credentials.ts'
import { ProxyError } from '../../errors.ts'
import type { UpstreamAnswer } from '../answer.ts'
import type { UpstreamRequest } from '../client.ts'
import { codexModelsCache } from './codex-models-cache.ts'
import { ModelCatalogue } from './model-catalogue.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

function login(accountId: string, accessToken = `token of ${accountId}`): Credentials {
  return { kind: 'chatgpt', accessToken, accountId, fedramp: false }
}

type Reply = { status?: number; models?: unknown; text?: string; headers?: IncomingHttpHeaders }

/** Answers that were given up. */
let aborted = 0

function answer({ status = 200, models, text, headers = {} }: Reply): UpstreamAnswer {
  const body = Buffer.from(text ?? JSON.stringify({ models }))
  return {
    status,
    headers,
    body: {
      over: true,
      pipe(sink) {
        sink.data({ memory: body, ranges: [0, body.length] })
        sink.end()
      },
      pause() {},
      resume() {},
      abort: () => void aborted++,
    },
  }
}

const named = (...slugs: string[]) =>
  slugs.map((slug, priority) => ({ slug, visibility: 'list', supported_in_api: true, priority }))

describe('the model catalogue', () => {
  let codexHome = ''
  let now = 0
  let account: Credentials
  let version: string
  let replies: (Reply | Promise<Reply> | Error | 'silence')[]
  let sent: { request: UpstreamRequest; credentials: Credentials }[]
  let catalogue: ModelCatalogue

  beforeEach(async () => {
    codexHome = await mkdtemp(join(tmpdir(), 'catalogue-'))
    now = 1_795_000_000_000
    account = login('A')
    version = '0.170.0'
    replies = []
    sent = []
    catalogue = new ModelCatalogue({
      async send(request, credentials, cancellation) {
        sent.push({ request, credentials })
        const reply = replies.shift() ?? new ProxyError('upstream_unreachable', 'Nobody there.')
        if (reply instanceof Error) throw reply
        if (reply === 'silence') return await cancellation.race(new Promise<never>(() => {}))
        return answer(await reply)
      },
      credentials: async () => account,
      clientVersion: () => version,
      codexCache: codexModelsCache(codexHome),
      now: () => now,
    })
  })
  afterEach(() => rm(codexHome, { recursive: true }))

  const slugs = async () => {
    const { models, source } = await catalogue.list()
    return { slugs: models.map(({ slug }) => slug), source }
  }
  /** All that was begun in the background has been sent by then. */
  const settled = () => new Promise(setImmediate)
  const noteByCodex = (...names: string[]) =>
    writeFile(
      join(codexHome, 'models_cache.json'),
      JSON.stringify({ client_version: '0.170.0', models: named(...names) }),
    )

  test('case 194: asks upstream once, with the client version, and remembers for five minutes', async () => {
    replies = [{ models: named('a', 'b') }]
    expect(await slugs()).toEqual({ slugs: ['a', 'b'], source: 'live' })
    now += 4 * MINUTE
    expect(await slugs()).toEqual({ slugs: ['a', 'b'], source: 'live' })
    expect(sent.map(({ request }) => request)).toEqual([
      {
        method: 'GET',
        path: '/models?client_version=0.170.0',
        headers: { accept: 'application/json' },
        tellsOfLogin: false,
      },
    ])
  })

  test('asks once for many who ask at the same time', async () => {
    replies = [{ models: named('a') }]
    const lists = await Promise.all([slugs(), slugs(), slugs()])
    expect(lists).toEqual(Array(3).fill({ slugs: ['a'], source: 'live' }))
    expect(sent).toHaveLength(1)
  })

  test('a list that one account waits for holds up no other, and its coming lets nobody ask twice', async () => {
    const ofA = deferred<Reply>()
    replies = [ofA.promise, 'silence']
    const listOfA = slugs()
    await settled()
    account = login('B')
    catalogue.peek()
    await settled()
    expect(sent.map(({ credentials }) => credentials)).toEqual([login('A'), login('B')])
    ofA.resolve({ models: named('of A') })
    expect(await listOfA).toEqual({ slugs: ['of A'], source: 'live' })
    const listOfB = catalogue.list()
    await settled()
    expect(sent).toHaveLength(2)
    catalogue.close()
    await expect(listOfB).rejects.toThrow()
  })

  test('a list that does not come within ten seconds is not waited for', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    replies = ['silence']
    const failure = expect(catalogue.list()).rejects.toThrow('Upstream did not send the list of models within 10 s.')
    await settled()
    vi.advanceTimersByTime(10_000)
    vi.useRealTimers()
    await failure
  })

  test('a list that never comes is not waited for when the program stops', async () => {
    replies = ['silence']
    const list = catalogue.list()
    await expect.poll(() => sent).toHaveLength(1)
    catalogue.close()
    await expect(list).rejects.toThrow('The proxy is stopping.')
  })

  test('case 196: answers at once with an old list, says so, and looks again meanwhile', async () => {
    replies = [{ models: named('old') }, { models: named('new') }]
    await slugs()
    now += HOUR
    expect(await slugs()).toEqual({ slugs: ['old'], source: 'stale' })
    await expect.poll(slugs).toEqual({ slugs: ['new'], source: 'live' })
    expect(sent).toHaveLength(2)
  })

  test('case 194: another client version may have other models, and is asked for at once', async () => {
    replies = [{ models: named('a') }, { models: named('a', 'newer') }]
    await slugs()
    version = '0.171.0'
    expect((await slugs()).source).toBe('stale')
    await expect.poll(slugs).toEqual({ slugs: ['a', 'newer'], source: 'live' })
    expect(sent.map(({ request }) => request.path)).toEqual([
      '/models?client_version=0.170.0',
      '/models?client_version=0.171.0',
    ])
  })

  test('case 196: while upstream is down an old list is shown, and who asks often makes it no busier', async () => {
    replies = [{ models: named('old') }]
    await slugs()
    now += HOUR
    for (let count = 0; count < 5; count++) {
      expect(await slugs()).toEqual({ slugs: ['old'], source: 'stale' })
      catalogue.peek()
      await settled()
    }
    expect(sent).toHaveLength(2)
    now += 5_000
    await slugs()
    await settled()
    expect(sent).toHaveLength(3)
  })

  test('a failure of one account does not keep another from its models', async () => {
    catalogue.peek()
    await settled()
    account = login('B')
    replies = [{ models: named('of B') }]
    catalogue.peek()
    await expect.poll(() => catalogue.peek().map(({ id }) => id)).toEqual(['of B'])
  })

  test('waits for a new list when the old one is of another day, and shows the old one if there is none', async () => {
    replies = [{ models: named('old') }, { models: named('new') }, new Error('down')]
    await slugs()
    now += 25 * HOUR
    expect(await slugs()).toEqual({ slugs: ['new'], source: 'live' })
    now += 25 * HOUR
    expect(await slugs()).toEqual({ slugs: ['new'], source: 'stale' })
  })

  test('case 196: another account never sees the list of the first', async () => {
    replies = [{ models: named('of A') }, { models: named('of B') }]
    await slugs()
    account = login('B')
    expect(await slugs()).toEqual({ slugs: ['of B'], source: 'live' })
    expect(sent[1]?.credentials).toEqual(login('B'))
  })

  test('falls back to what the installed Codex noted, marked as such', async () => {
    await noteByCodex('noted')
    expect(await slugs()).toEqual({ slugs: ['noted'], source: 'codex-cache' })
  })

  test('passes the reason on when nothing is known at all', async () => {
    await expect(catalogue.list()).rejects.toMatchObject({ code: 'upstream_unreachable' })
    await expect(catalogue.list(), 'also to who asks right after').rejects.toMatchObject({
      code: 'upstream_unreachable',
    })
  })

  test('what Codex noted where nobody can look is nothing', async () => {
    const path = join(codexHome, 'models_cache.json')
    await symlink(path, path)
    await expect(catalogue.list()).rejects.toMatchObject({ code: 'upstream_unreachable' })
  })

  test('case 196: after a failure it waits longer and longer before it asks again, while it has something to show', async () => {
    await noteByCodex('noted')
    await slugs()
    now += 4_000
    await slugs()
    expect(sent).toHaveLength(1)
    now += 2_000
    await slugs()
    expect(sent).toHaveLength(2)
    now += 6_000
    await slugs()
    expect(sent).toHaveLength(2)
    now += 5_000
    replies = [{ models: named('live') }]
    expect(await slugs()).toEqual({ slugs: ['live'], source: 'live' })
    for (const pause of [HOUR, 6_000]) {
      now += pause
      await slugs()
      await settled()
    }
    expect(sent, 'what is over does not count for what comes').toHaveLength(5)
  })

  test.each<[string, Reply, string]>([
    ['401', { status: 401 }, 'upstream_rejected_credentials'],
    ['a page of the CDN', { status: 403, headers: { 'content-type': 'text/html' } }, 'upstream_blocked'],
    ['one in capitals', { status: 403, headers: { 'content-type': 'Text/HTML' } }, 'upstream_blocked'],
    ['a challenge of the CDN', { status: 403, headers: { 'cf-mitigated': 'challenge' } }, 'upstream_blocked'],
    ['a redirect', { status: 302, headers: { location: 'https://login.example/' } }, 'upstream_blocked'],
    ['403', { status: 403 }, 'upstream_error'],
    ['403 as the API does', { status: 403, headers: { 'content-type': 'application/json' } }, 'upstream_error'],
    ['500', { status: 500, headers: { 'content-type': 'text/html' } }, 'upstream_error'],
    ['no JSON', { text: '<html>' }, 'upstream_invalid'],
    ['another list', { text: '{"data":[]}' }, 'upstream_invalid'],
  ])('names the failure when upstream answers %s', async (_name, reply, code) => {
    replies = [reply]
    const before = aborted
    await expect(catalogue.list()).rejects.toMatchObject({ code })
    expect(aborted - before).toBe(reply.status === undefined ? 0 : 1)
  })

  test.each([
    ['<html>', 'Upstream sent a list of models that is not JSON.'],
    ['{"data":[]}', 'Upstream sent something other than a list of models.'],
  ])('says what is wrong with %s', async (text, message) => {
    replies = [{ text }]
    await expect(catalogue.list()).rejects.toThrow(message)
  })

  test('a token upstream rejected for models is not sent for them again: each try would refresh the login', async () => {
    replies = [{ status: 401 }, { models: named('a') }]
    await expect(catalogue.list()).rejects.toMatchObject({ status: 401 })
    now += HOUR
    catalogue.peek()
    await expect(catalogue.list()).rejects.toMatchObject({ status: 401 })
    expect(sent).toHaveLength(1)
    account = login('A', 'a newer token')
    expect(await slugs()).toEqual({ slugs: ['a'], source: 'live' })
  })

  test('that upstream rejected the token stays the reason, also when the login is gone by then', async () => {
    let left = 1
    const losing = new ModelCatalogue({
      send: async () => answer({ status: 401 }),
      credentials: () => (left-- > 0 ? Promise.resolve(account) : Promise.reject(new Error('No login.'))),
      clientVersion: () => version,
      codexCache: codexModelsCache(codexHome),
      now: () => now,
    })
    await expect(losing.list()).rejects.toMatchObject({ code: 'upstream_rejected_credentials' })
  })

  test('what conversion sees now: nothing, then what Codex noted, then what upstream said, hidden models too', async () => {
    expect(catalogue.peek()).toEqual([])
    await writeFile(join(codexHome, 'models_cache.json'), '{"client_version":"0.170.0"}')
    expect(catalogue.peek()).toEqual([])
    await noteByCodex('noted')
    expect(catalogue.peek().map(({ id }) => id)).toEqual(['noted'])
    now += MINUTE
    replies = [{ models: [...named('live'), { slug: 'reviewer', visibility: 'hide' }] }]
    catalogue.peek()
    await expect.poll(() => catalogue.peek().map(({ id }) => id)).toEqual(['live', 'reviewer'])
  })

  test('conversion may wait for the first list, but not if one is known, however old', async () => {
    await noteByCodex('noted')
    expect(catalogue.firstList()).toBeUndefined()
    await rm(join(codexHome, 'models_cache.json'))
    replies = [{ models: [] }]
    await catalogue.firstList()
    expect(sent).toHaveLength(1)
    now += 24 * 60 * MINUTE
    expect(catalogue.firstList()).toBeUndefined()
  })

  test('conversion never waits again once the list could not be had', async () => {
    await catalogue.firstList()
    expect(sent).toHaveLength(1)
    now += 24 * 60 * MINUTE
    expect(catalogue.firstList()).toBeUndefined()
    expect(sent).toHaveLength(1)
  })

  test('conversion looks again when the list is five minutes old, and no sooner', async () => {
    replies = [{ models: named('a') }, { models: named('b') }]
    await slugs()
    now += 4 * MINUTE
    catalogue.peek()
    await settled()
    expect(sent).toHaveLength(1)
    now += MINUTE
    catalogue.peek()
    await settled()
    expect(catalogue.peek().map(({ id }) => id)).toEqual(['b'])
  })

  test('case 199: a model the account was refused is no longer shown, until the list changes', async () => {
    replies = [
      { models: named('a', 'b'), headers: { etag: '"1"' } },
      { models: named('a', 'b'), headers: { etag: '"1"' } },
      { models: named('a', 'b', 'c'), headers: { etag: '"2"' } },
    ]
    await slugs()
    catalogue.forget('b')
    expect(await slugs()).toEqual({ slugs: ['a'], source: 'live' })
    now += 25 * HOUR
    expect(await slugs()).toEqual({ slugs: ['a'], source: 'live' })
    now += 25 * HOUR
    expect(await slugs()).toEqual({ slugs: ['a', 'b', 'c'], source: 'live' })
  })

  test('case 199: a refused model that answers after all is shown again', async () => {
    replies = [{ models: named('a', 'b', 'c') }]
    await slugs()
    catalogue.forget('b')
    catalogue.forget('c')
    catalogue.remember('b')
    expect(await slugs()).toEqual({ slugs: ['a', 'b'], source: 'live' })
  })

  test('a refused name that is not of the list is not kept', async () => {
    replies = [
      { models: named('a', 'b'), headers: { etag: '"1"' } },
      { models: named('a', 'b', 'c'), headers: { etag: '"1"' } },
    ]
    await slugs()
    catalogue.forget('c')
    now += 25 * HOUR
    expect(await slugs()).toEqual({ slugs: ['a', 'b', 'c'], source: 'live' })
  })

  test('case 199: a refused model of what Codex noted is no longer shown', async () => {
    await noteByCodex('a', 'b')
    catalogue.forget('b')
    expect(await slugs()).toEqual({ slugs: ['a'], source: 'codex-cache' })
  })

  test('another etag on any answer makes it look again, once', async () => {
    replies = [
      { models: named('a'), headers: { etag: '"1"' } },
      { models: named('a', 'b'), headers: { etag: '"2"' } },
    ]
    catalogue.noticeEtag('"0"')
    await slugs()
    catalogue.noticeEtag('"1"')
    await settled()
    expect(sent).toHaveLength(1)
    catalogue.noticeEtag('"2"')
    catalogue.noticeEtag('"2"')
    expect(await slugs()).toEqual({ slugs: ['a'], source: 'stale' })
    await settled()
    expect(sent).toHaveLength(2)
    expect(await slugs()).toEqual({ slugs: ['a', 'b'], source: 'live' })
  })

  test('an etag makes it look again by itself, and once only if no list comes with it', async () => {
    replies = [1, 2, 3].map(() => ({ models: named('a'), headers: { etag: '"1"' } }))
    await slugs()
    for (let count = 0; count < 3; count++) {
      catalogue.noticeEtag('"2"')
      await settled()
    }
    expect(sent).toHaveLength(2)
  })

  test('without credentials the reason is theirs', async () => {
    const reason = new ProxyError('credentials_missing', 'No login.')
    const lost = new ModelCatalogue({
      send: () => Promise.reject(new Error('must not be asked')),
      credentials: () => Promise.reject(reason),
      clientVersion: () => '0.170.0',
      codexCache: codexModelsCache(codexHome),
      now: () => now,
    })
    await expect(lost.list()).rejects.toBe(reason)
    expect(lost.peek()).toEqual([])
  })
})
