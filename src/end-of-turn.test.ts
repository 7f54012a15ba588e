import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { atEndOfTurn } from './end-of-turn.ts'

test('what is put off in one turn is done together, in order, before what follows from it', async () => {
  const done: string[] = []
  const put = (name: string) =>
    atEndOfTurn(() => {
      done.push(name)
      queueMicrotask(() => done.push(`after ${name}`))
    })
  put('first')
  put('second')
  await Promise.resolve()
  put('third')
  expect(done).toEqual([])
  await nextTurn()
  expect(done).toEqual(['first', 'second', 'third', 'after first', 'after second', 'after third'])
})

test('what is put off at the end of a turn waits for the end of the next', async () => {
  const done: string[] = []
  atEndOfTurn(() => {
    done.push('now')
    atEndOfTurn(() => done.push('next'))
  })
  await nextTurn()
  expect(done).toEqual(['now'])
  await nextTurn()
  expect(done).toEqual(['now', 'next'])
})
