import { expect, test } from 'vitest'
import { BodyMemory } from './body-memory.ts'

const BYTES = 100_000

test('memory is freed when all connections have given it back; until then it is left to the collector', () => {
  const bytes = Buffer.allocUnsafeSlow(BYTES)
  const memory = new BodyMemory(bytes)
  memory.lend()
  memory.lend()
  memory.giveBack()
  memory.free()
  expect(bytes.length).toBe(BYTES)
  memory.giveBack()
  memory.free()
  expect(bytes.length).toBe(0)
})

test('bodies with memory of their own are nothing to free', () => {
  expect(() => new BodyMemory(undefined).free()).not.toThrow()
})
