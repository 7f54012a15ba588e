import { expect, test } from 'vitest'
import { addToList } from './list-map.ts'

test('the values of a key are in the order in which they were added', () => {
  const lists = new Map<string, number[]>()
  addToList(lists, 'odd', 1)
  addToList(lists, 'even', 2)
  addToList(lists, 'odd', 3)
  expect([...lists]).toEqual([
    ['odd', [1, 3]],
    ['even', [2]],
  ])
})
