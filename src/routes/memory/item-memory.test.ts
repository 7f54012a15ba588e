import { expect, test } from 'vitest'
import { ItemMemory } from './item-memory.ts'

const item = (id: string, text = 'Hi') => ({ id, type: 'message', role: 'assistant', content: [{ text }] })
const frame = (id: string, text = 'Hi') =>
  `event: response.output_item.done\ndata: ${JSON.stringify({ type: 'response.output_item.done', item: item(id, text) })}`

const recall = (memory: ItemMemory, owner: string, id: string) => memory.recallFor(owner, 1000)(id)

test('an item is recalled by its id, for the same credentials only', () => {
  const memory = new ItemMemory(() => 0)
  memory.remember('a', [item('msg_1'), { type: 'message' }, 'no item'])
  memory.rememberFrames('a', [frame('msg_2')])
  for (const id of ['msg_1', 'msg_2']) {
    expect(recall(memory, 'a', id)).toEqual(item(id))
    expect(recall(memory, 'b', id)).toBeUndefined()
  }
  expect(recall(memory, 'a', 'msg_3')).toBeUndefined()
})

test('frames that nobody asks for take no more than their room, the oldest go', () => {
  const [first, second] = [frame('msg_1'), frame('msg_2')]
  const memory = new ItemMemory(() => 0, first.length + second.length - 1)
  memory.rememberFrames('a', [first])
  memory.rememberFrames('a', [second])
  expect(recall(memory, 'a', 'msg_1')).toBeUndefined()
  expect(recall(memory, 'a', 'msg_2')).toEqual(item('msg_2'))
})

test('frames that were read leave their room to others', () => {
  const memory = new ItemMemory(() => 0, frame('msg_1').length)
  for (const id of ['msg_1', 'msg_2']) {
    memory.rememberFrames('a', [frame(id)])
    expect(recall(memory, 'a', id)).toEqual(item(id))
  }
})

test('frames that were read are not read again: what was told after them counts', () => {
  const memory = new ItemMemory(() => 0)
  memory.rememberFrames('a', [frame('msg_1', 'first')])
  expect(recall(memory, 'a', 'msg_1')).toEqual(item('msg_1', 'first'))
  memory.remember('a', [item('msg_1', 'second')])
  expect(recall(memory, 'a', 'msg_1')).toEqual(item('msg_1', 'second'))
})

test('a frame that is no item is passed over', () => {
  const memory = new ItemMemory(() => 0)
  memory.rememberFrames('a', ['data: {}', 'data: nonsense', frame('msg_1')])
  expect(recall(memory, 'a', 'msg_1')).toEqual(item('msg_1'))
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
