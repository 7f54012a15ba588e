import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, expect, test, vi } from 'vitest'

let nowOrAtEndOfTurn: (work: () => void) => void
let done: string[] = []

beforeEach(async () => {
  vi.resetModules()
  ;({ nowOrAtEndOfTurn } = await import('./end-of-turn.ts'))
  done = []
})

const give = (...names: string[]) => {
  for (const name of names) nowOrAtEndOfTurn(() => done.push(name))
}

/** Turns that bring so little that whoever comes next is alone. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) {
    give('as much', 'as one request', 'has to do')
    await nextTurn()
  }
  done = []
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index))

test('what comes in one turn is done together, in order, before what follows from it', async () => {
  for (const name of ['first', 'second']) {
    nowOrAtEndOfTurn(() => {
      done.push(name)
      queueMicrotask(() => done.push(`after ${name}`))
    })
  }
  await Promise.resolve()
  give('third')
  expect(done).toEqual([])
  await nextTurn()
  expect(done).toEqual(['first', 'second', 'third', 'after first', 'after second'])
})

test('what comes at the end of a turn waits for the end of the next', async () => {
  nowOrAtEndOfTurn(() => give('next'))
  await nextTurn()
  expect(done).toEqual([])
  await nextTurn()
  expect(done).toEqual(['next'])
})

test('after eight quiet turns nobody waits, until a turn is looked at again', async () => {
  await quiet()
  give(...numbers(32))
  expect(done).toEqual(numbers(32))
  give('looked at', 'behind it')
  expect(done).toHaveLength(32)
  await nextTurn()
  expect(done.slice(32)).toEqual(['looked at', 'behind it'])
  give('at once')
  expect(done.at(-1)).toBe('at once')
})

test('a turn that brings more than one request has to do makes the next ones wait', async () => {
  await quiet()
  give(...numbers(50))
  await nextTurn()
  done = []
  give('waits')
  expect(done).toEqual([])
  await nextTurn()
  expect(done).toEqual(['waits'])
})
