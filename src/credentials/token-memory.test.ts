import { expect, test } from 'vitest'
import { ProxyError } from '../errors.ts'
import type { ChatGptLogin } from './login.ts'
import { TokenMemory } from './token-memory.ts'

const MINUTE = 60_000
const REFUSED = new ProxyError('login_expired', 'The issuer refused.')
const FAILED = new ProxyError('refresh_failed', 'The issuer was not there.')

/** A login whose tokens are called after `name`, stale after 55 minutes and over after 60. */
function login(name: string): ChatGptLogin {
  return {
    kind: 'chatgpt',
    credentials: { kind: 'chatgpt', accessToken: `access ${name}`, accountId: 'account', fedramp: false },
    refreshToken: `refresh ${name}`,
    plan: 'plus',
    expiresAt: 60 * MINUTE,
    lastRefresh: 0,
    staleAt: 55 * MINUTE,
    issuer: undefined,
    clientId: undefined,
  }
}

/** What is known, and a clock. */
function memory() {
  const clock = { now: 0 }
  return { clock, known: new TokenMemory(() => clock.now) }
}

test('a refusal counts for the tokens that were refused alone', () => {
  const { known } = memory()
  known.noteRefused(login('old').refreshToken, REFUSED)
  expect([known.refusalOf(login('old')), known.refusalOf(login('new'))]).toEqual([REFUSED, undefined])
  known.noteRejected(login('new'))
  expect([known.isUsable(login('old')), known.isUsable(login('new'))]).toEqual([true, true])
  known.noteRejected(login('old'))
  expect([known.isUsable(login('old')), known.isUsable(login('new'))]).toEqual([false, true])
})

test('a failure is over with the next token, although it was asked for with the same refresh token', () => {
  const { known } = memory()
  const state = (name: string) => [
    known.failureOf(login(name)),
    known.limitOf(login(name)),
    known.isResting(login(name)),
  ]
  known.noteFailed('refresh a', FAILED, true)
  expect([state('a'), state('b')]).toEqual([
    [FAILED, FAILED, true],
    [undefined, undefined, false],
  ])
  known.noteIssued(login('a'))
  expect(state('a')).toEqual([undefined, undefined, false])
})

test('a token from the issuer is stale when its login says', () => {
  const { clock, known } = memory()
  known.noteIssued(login('a'))
  for (const [minute, isStale] of [
    [54, false],
    [55, true],
  ] as const) {
    clock.now = minute * MINUTE
    expect(known.isStale(login('a'))).toBe(isStale)
  }
})

test('one that seems to be stale already is good to its end, or for ever if that is over too; any other is not', () => {
  const { clock, known } = memory()
  clock.now = 55 * MINUTE
  known.noteIssued(login('short'))
  const state = (name: string) => [known.isStale(login(name)), known.isUsable(login(name))]
  expect([state('short'), state('other')]).toEqual([
    [false, true],
    [true, true],
  ])
  clock.now = 60 * MINUTE
  expect(state('short')).toEqual([true, false])
  known.noteIssued(login('late'))
  clock.now = 600 * MINUTE
  expect([state('late'), state('other')]).toEqual([
    [false, true],
    [true, false],
  ])
})

test('one that had expired before it was asked for tells of a fast clock: all are good until they are refused', () => {
  const { clock, known } = memory()
  const state = (name: string) => [known.isStale(login(name)), known.isUsable(login(name))]
  clock.now = 60 * MINUTE
  known.noteAsked()
  known.noteIssued(login('late'))
  clock.now = 600 * MINUTE
  expect([state('late'), state('other')]).toEqual([
    [false, true],
    [false, true],
  ])
  known.noteRefused(login('other').refreshToken, REFUSED)
  known.noteRejected(login('other'))
  expect(known.isUsable(login('other'))).toBe(false)

  // Once the clock is right, it counts again.
  clock.now = 0
  known.noteAsked()
  known.noteIssued(login('new'))
  clock.now = 60 * MINUTE
  expect(state('new')).toEqual([true, false])
})

test('a fast clock that was set back counts again at once, without a refresh', () => {
  const { clock, known } = memory()
  clock.now = 200 * MINUTE
  known.noteAsked()
  known.noteIssued(login('late'))
  clock.now = 60 * MINUTE
  expect([known.isStale(login('other')), known.isUsable(login('other'))]).toEqual([true, false])
  clock.now = 200 * MINUTE
  expect([known.isStale(login('other')), known.isUsable(login('other'))]).toEqual([false, true])
})
