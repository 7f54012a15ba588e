import { expect, test } from 'vitest'
import { BufferPool } from './buffer-pool.ts'

test('memory that was given back is used again where it is large enough, and no more of it is kept than said', () => {
  const memory = new BufferPool(1)
  const first = memory.take(10)
  memory.release(first)
  memory.release(Buffer.alloc(10))
  expect(memory.take(10)).toBe(first)
  expect(memory.take(10)).not.toBe(first)
  memory.release(first)
  expect(memory.take(11).length).toBe(11)
})
