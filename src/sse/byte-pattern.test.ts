import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BytePattern, viewOf } from './byte-pattern.ts'

const ascii = fc.string({ unit: 'binary-ascii', minLength: 8, maxLength: 60 })

test('bytes are found where they stand, whatever stands around them', () => {
  fc.assert(
    fc.property(ascii, fc.uint8Array(), fc.uint8Array(), (text, before, after) => {
      const memory = Buffer.concat([before, Buffer.from(text), after])
      expect(new BytePattern(Buffer.from(text)).isAt(viewOf(memory), before.length)).toBe(true)
    }),
  )
})

test('a single bit that differs is noticed wherever it is', () => {
  fc.assert(
    fc.property(ascii, fc.nat(), fc.nat(7), (text, at, bit) => {
      const memory = Buffer.from(text)
      memory.writeUInt8(memory.readUInt8(at % memory.length) ^ (1 << bit), at % memory.length)
      expect(new BytePattern(Buffer.from(text)).isAt(viewOf(memory), 0)).toBe(false)
    }),
  )
})

test('bytes that are no number as a double, or that differ in the sign of a zero, are never taken for others', () => {
  const words = ['\xff'.repeat(8), '\x01\0\0\0\0\0\xf0\x7f', '\0'.repeat(8), '\0\0\0\0\0\0\0\x80']
  for (const text of words) {
    for (const other of words) {
      const found = new BytePattern(Buffer.from(text, 'latin1')).isAt(viewOf(Buffer.from(other, 'latin1')), 0)
      expect(found && text !== other).toBe(false)
    }
  }
})

test('where there are fewer bytes it says so', () => {
  const view = viewOf(Buffer.from('event: a'))
  expect(() => new BytePattern(Buffer.from('event: a')).isAt(view, 1)).toThrow(RangeError)
})
