import { expect, test } from 'vitest'
import { ownerOf, RecentMemory } from './recent-memory.ts'

const TWO_HOURS = 2 * 60 * 60 * 1000

test('what was kept is recalled for two hours, however often', () => {
  const clock = { now: 0 }
  const memory = new RecentMemory<string>(() => clock.now)
  memory.keep('key', 'value', 5)
  for (clock.now = 0; clock.now <= TWO_HOURS; clock.now += TWO_HOURS / 4) expect(memory.recall('key')).toBe('value')
  clock.now = TWO_HOURS + 1
  expect(memory.recall('key')).toBeUndefined()
  expect(memory.isEmpty).toBe(true)
})

test('what is too old leaves its room to others', () => {
  const clock = { now: 0 }
  const memory = new RecentMemory<string>(() => clock.now, 10)
  memory.keep('a', 'old', 4)
  clock.now = TWO_HOURS + 1
  expect(memory.recall('a')).toBeUndefined()
  for (const key of ['b', 'c']) memory.keep(key, 'new', 4)
  expect([memory.recall('b'), memory.recall('c')]).toEqual(['new', 'new'])
})

test('what is kept again takes its room once, and its new value counts', () => {
  const memory = new RecentMemory<string>(() => 0, 10)
  memory.keep('a', 'first', 4)
  memory.keep('b', 'other', 4)
  memory.keep('a', 'second', 4)
  expect([memory.recall('a'), memory.recall('b')]).toEqual(['second', 'other'])
})

test('what is larger than all of the room pushes nothing out', () => {
  const memory = new RecentMemory<string>(() => 0, 10)
  memory.keep('a', 'small', 9)
  memory.keep('b', 'large', 10)
  expect([memory.recall('a'), memory.recall('b')]).toEqual(['small', undefined])
})

test('what was kept first goes first, and only as much as must', () => {
  const memory = new RecentMemory<string>(() => 0, 10)
  for (const key of ['a', 'b', 'c']) memory.keep(key, key, 2)
  memory.keep('d', 'd', 3)
  expect(['a', 'b', 'c', 'd'].map((key) => memory.recall(key))).toEqual([undefined, 'b', 'c', 'd'])
})

test('an owner is an account, whatever its token; without one, the token', () => {
  const credentials = { kind: 'chatgpt', fedramp: false } as const
  expect(ownerOf({ ...credentials, accountId: 'a', accessToken: 'one' })).toBe('a')
  expect(ownerOf({ ...credentials, accountId: 'a', accessToken: 'refreshed' })).toBe('a')
  expect(ownerOf({ ...credentials, accountId: undefined, accessToken: 'one' })).toBe('one')
})
