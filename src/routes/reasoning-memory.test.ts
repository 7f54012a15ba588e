import { expect, test } from 'vitest'
import { ReasoningMemory } from './reasoning-memory.ts'

const items = [{ type: 'reasoning', summary: [], encrypted_content: 'opaque' }]

function memoryAt(clock: { now: number }, maxBytes?: number) {
  return new ReasoningMemory(() => clock.now, maxBytes)
}

test('reasoning is recalled by the call it preceded, for the same credentials only', () => {
  const memory = memoryAt({ now: 0 })
  memory.remember('account a', new Map([['call_1', items]]))
  expect(memory.recall('account a', 'call_1')).toEqual(items)
  expect(memory.recall('account b', 'call_1')).toBeUndefined()
  expect(memory.recall('account a', 'call_2')).toBeUndefined()
})

test('reasoning is forgotten after two hours', () => {
  const clock = { now: 0 }
  const memory = memoryAt(clock)
  memory.remember('a', new Map([['call_1', items]]))
  clock.now = 2 * 60 * 60 * 1000 + 1
  expect(memory.recall('a', 'call_1')).toBeUndefined()
})

test('the least recently used reasoning makes room for new', () => {
  const memory = memoryAt({ now: 0 }, 250)
  memory.remember('a', new Map([['call_1', items]]))
  memory.remember('a', new Map([['call_2', items]]))
  memory.recall('a', 'call_1')
  memory.remember('a', new Map([['call_3', items]]))
  memory.remember('a', new Map([['call_4', items]]))
  expect(memory.recall('a', 'call_2')).toBeUndefined()
  expect(memory.recall('a', 'call_4')).toEqual(items)
})
