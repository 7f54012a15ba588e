import { expect, test } from 'vitest'
import { freeMemory, unpooledBuffer, unpooledCopy } from './buffers.ts'

test('text in memory of its own shares it with nothing', () => {
  const bytes = unpooledBuffer('grüße')
  expect(bytes.toString()).toBe('grüße')
  expect(bytes.buffer.byteLength).toBe(bytes.length)
})

test('a copy of pieces in memory of its own holds nothing of what they are parts of', () => {
  const large = Buffer.from(`--grü${'-'.repeat(100_000)}`)
  const bytes = unpooledCopy([large.subarray(2, 6), Buffer.from('ße'), Buffer.alloc(0)])
  expect(bytes.toString()).toBe('grüße')
  expect(bytes.buffer.byteLength).toBe(bytes.length)
})

test('memory that is freed is gone from all views of it', () => {
  const bytes = Buffer.allocUnsafeSlow(100_000)
  const view = bytes.subarray(10, 20)
  freeMemory(bytes)
  expect([bytes.length, view.length, bytes.buffer.byteLength]).toEqual([0, 0, 0])
  expect(() => freeMemory(bytes)).not.toThrow()
})

test.each([
  ['a part of some memory', Buffer.allocUnsafeSlow(100_000).subarray(1)],
  ['little memory', Buffer.allocUnsafeSlow(1000)],
  ['memory that is shared with other threads', Buffer.from(new SharedArrayBuffer(100_000))],
])('%s is left alone', (_name, bytes) => {
  const { length } = bytes
  freeMemory(bytes)
  expect(bytes.length).toBe(length)
})
