import { expect, test } from 'vitest'
import { ReasoningMemory } from './reasoning-memory.ts'

const items = [{ type: 'reasoning', summary: [], encrypted_content: 'opaque' }]
const call = (callId: string, text = '{}') => ({ callId, name: 'f', text })
const reasoned = (callId: string) => [{ call: call(callId), items }]

function memoryAt(clock: { now: number }, maxBytes?: number) {
  return new ReasoningMemory(() => clock.now, maxBytes)
}

test('reasoning is recalled by the call it preceded, for the same credentials only', () => {
  const memory = memoryAt({ now: 0 })
  memory.remember('account a', reasoned('call_1'))
  expect(memory.recall('account a', call('call_1'))).toEqual(items)
  expect(memory.recall('account b', call('call_1'))).toBeUndefined()
  expect(memory.recall('account a', call('call_2'))).toBeUndefined()
  memory.remember('account a', [{ call: call('call_3'), items: [] }])
  expect(memory.recall('account a', call('call_3'))).toBeUndefined()
})

test('case 78: calls that share an id each have their own reasoning', () => {
  const memory = memoryAt({ now: 0 })
  const other = [{ type: 'reasoning', summary: [], encrypted_content: 'of another round' }]
  memory.remember('a', [{ call: call('call_1', '{"n":1}'), items }])
  memory.remember('a', [{ call: call('call_1', '{"n":2}'), items: other }])
  expect(memory.recall('a', call('call_1', '{"n": 1}'))).toEqual(items)
  expect(memory.recall('a', call('call_1', '{"n": 2}'))).toEqual(other)
  expect(memory.recall('a', { ...call('call_1', '{"n":1}'), name: 'g' })).toBeUndefined()
})

test('reasoning is forgotten after two hours', () => {
  const clock = { now: 0 }
  const memory = memoryAt(clock)
  memory.remember('a', reasoned('call_1'))
  clock.now = 2 * 60 * 60 * 1000 + 1
  expect(memory.recall('a', call('call_1'))).toBeUndefined()
})

test('the least recently used reasoning makes room for new', () => {
  const memory = memoryAt({ now: 0 }, 400)
  memory.remember('a', reasoned('call_1'))
  memory.remember('a', reasoned('call_2'))
  memory.recall('a', call('call_1'))
  memory.remember('a', reasoned('call_3'))
  memory.remember('a', reasoned('call_4'))
  expect(memory.recall('a', call('call_1'))).toEqual(items)
  expect(memory.recall('a', call('call_2'))).toBeUndefined()
  expect(memory.recall('a', call('call_4'))).toEqual(items)
})
