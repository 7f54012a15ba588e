import { expect, test } from 'vitest'
import { BodyMemory } from './body-memory.ts'

const BYTES = 100_000

test('memory is freed when all connections have given it back; until then it is left to the collector', () => {
  const bytes = [Buffer.allocUnsafeSlow(BYTES), Buffer.allocUnsafeSlow(BYTES)]
  const sizes = () => bytes.map(({ length }) => length)
  const memory = new BodyMemory(bytes)
  memory.retain()
  memory.retain()
  memory.release()
  memory.free()
  expect(sizes()).toEqual([BYTES, BYTES])
  memory.release()
  memory.free()
  expect(sizes()).toEqual([0, 0])
})
