import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { CredentialSource, Credentials } from './credentials.ts'
import { onceATurn } from './once-a-turn.ts'

const FIRST: Credentials = { kind: 'api-key', apiKey: 'first' }
const SECOND: Credentials = { kind: 'api-key', apiKey: 'second' }

function sourceOf(...answers: (Credentials | Promise<Credentials>)[]) {
  const current = vi.fn(() => answers.shift() ?? SECOND)
  const source: CredentialSource = {
    current,
    ready: () => undefined,
    replace: async () => SECOND,
    status: async () => ({ kind: 'none', file: '' }),
    close: async () => {},
  }
  return { current, shared: onceATurn(source) }
}

test('requests of one turn share one look at the login', () => {
  const { current, shared } = sourceOf(FIRST, SECOND)
  expect([shared.current(), shared.current(), shared.current()]).toEqual([FIRST, FIRST, FIRST])
  expect(current).toHaveBeenCalledTimes(1)
})

test('the next turn looks again', async () => {
  const { shared } = sourceOf(FIRST, SECOND)
  expect(shared.current()).toBe(FIRST)
  await nextTurn()
  expect(shared.current()).toBe(SECOND)
})

test('credentials that have to be waited for are not kept: each request waits for its own', async () => {
  const { current, shared } = sourceOf(Promise.resolve(FIRST), Promise.resolve(SECOND))
  expect(await Promise.all([shared.current(), shared.current()])).toEqual([FIRST, SECOND])
  expect(current).toHaveBeenCalledTimes(2)
})

test('what was refused is not given out again in the same turn', async () => {
  const { shared } = sourceOf(FIRST, SECOND)
  expect(shared.current()).toBe(FIRST)
  const replaced = shared.replace(FIRST)
  expect(shared.current()).toBe(SECOND)
  await replaced
})

test('what was given out while the replacement was under way is not given out after it', async () => {
  const { shared } = sourceOf(FIRST, SECOND)
  const replaced = shared.replace(FIRST)
  expect(shared.current()).toBe(FIRST)
  await replaced
  expect(shared.current()).toBe(SECOND)
})
