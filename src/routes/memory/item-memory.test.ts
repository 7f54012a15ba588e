import { expect, test } from 'vitest'
import { ItemMemory } from './item-memory.ts'

const item = (id: string, text = 'Hi') => ({ id, type: 'message', role: 'assistant', content: [{ text }] })

const recall = (memory: ItemMemory, owner: string, id: string) => memory.recallFor(owner, 1000)(id)

test('an item is recalled by its id, for the same credentials only', () => {
  const memory = new ItemMemory(() => 0)
  memory.remember('a', [item('msg_1'), { type: 'message' }, 'no item', item('msg_2')])
  for (const id of ['msg_1', 'msg_2']) {
    expect(recall(memory, 'a', id)).toEqual(item(id))
    expect(recall(memory, 'b', id)).toBeUndefined()
  }
  expect(recall(memory, 'a', 'msg_3')).toBeUndefined()
})

test('the items take no more than their room, the oldest go', () => {
  const memory = new ItemMemory(() => 0, 150)
  for (const id of ['msg_1', 'msg_2']) memory.remember('a', [item(id)])
  expect(recall(memory, 'a', 'msg_1')).toBeUndefined()
  expect(recall(memory, 'a', 'msg_2')).toEqual(item('msg_2'))
})

test('what one request may name is limited, also when it names one item again and again', () => {
  const memory = new ItemMemory(() => 0)
  memory.remember('a', [item('msg_1')])
  const limit = JSON.stringify(item('msg_1')).length * 2
  const recallOne = memory.recallFor('a', limit)
  expect([recallOne('msg_1'), recallOne('msg_1')]).toEqual([item('msg_1'), item('msg_1')])
  expect(() => recallOne('msg_1')).toThrow(`larger than ${limit} bytes`)
  expect(recall(memory, 'a', 'msg_1')).toEqual(item('msg_1'))
})
