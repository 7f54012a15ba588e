import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { FrameOutput, reuse } from './frame-output.ts'

const bytes = fc.uint8Array({ maxLength: 3000 })
/** What may be done to an output. */
const step = fc.oneof(
  fc.record({ text: fc.string({ unit: 'binary', maxLength: 1000 }) }),
  fc.record({ put: fc.constant('bytes'), bytes }),
  fc.record({ put: fc.constant('range'), bytes, from: fc.nat(100), to: fc.nat(100) }),
  fc.record({ expect: fc.nat(200_000) }),
  fc.constantFrom('take', 'reuse', 'settle', 'clear'),
)

test('what is put in comes out, in order, once, and stays what it was until it is given back', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const out = new FrameOutput()
      let held = ''
      const taken: { got: Buffer; wanted: string }[] = []
      for (const each of steps) {
        if (each === 'take') {
          taken.push({ got: out.take('<<', '>>'), wanted: `<<${held}>>` })
          held = ''
        } else if (each === 'reuse') {
          const [oldest] = taken.splice(0, 1)
          if (oldest !== undefined) reuse(oldest.got)
        } else if (each === 'settle') out.settle()
        else if (each === 'clear') {
          out.clear()
          held = ''
        } else if ('expect' in each) out.expect(each.expect)
        else held += 'text' in each ? putText(out, each.text) : put(out, each)
        expect(out.length).toBe(held.length)
      }
      expect(taken.map(({ got }) => got.toString('latin1'))).toEqual(taken.map(({ wanted }) => wanted))
    }),
  )
})

/** What an output holds is told as latin1 text here: a character is a byte. */
function putText(out: FrameOutput, text: string): string {
  out.text(text)
  return Buffer.from(text).toString('latin1')
}

function put(out: FrameOutput, step: { put: string; bytes: Uint8Array; from?: number; to?: number }): string {
  const memory = Buffer.from(step.bytes)
  const text = memory.toString('latin1')
  if (step.put === 'bytes') out.bytes(memory)
  if (step.put !== 'range') return text
  const start = Math.min(step.from ?? 0, memory.length)
  const end = Math.max(start, Math.min(step.to ?? 0, memory.length))
  out.range(memory, start, end)
  return text.slice(start, end)
}

test('an empty output gives what was to stand around it', () => {
  expect(new FrameOutput().take('a', 'b').toString()).toBe('ab')
})

test('an output that waits holds little more than what is in it', () => {
  const out = new FrameOutput()
  out.expect(80_000)
  out.text('x'.repeat(5000))
  out.settle()
  expect(out.take().buffer.byteLength).toBeLessThan(6000)
})

test('an output that waits with nothing in it holds nothing', () => {
  const held = vi.spyOn(Buffer, 'allocUnsafeSlow')
  const out = new FrameOutput()
  out.expect(3000)
  out.settle()
  expect(held).not.toHaveBeenCalled()
  held.mockRestore()
})

test('a large output that waits and grows is not copied each time', () => {
  const out = new FrameOutput()
  out.bytes(Buffer.alloc(100_000))
  const copied = vi.spyOn(Buffer.prototype, 'copy')
  for (let event = 0; event < 10_000; event++) {
    out.expect(100)
    out.bytes(Buffer.alloc(64))
    out.settle()
  }
  expect(copied.mock.calls.length).toBeLessThan(50)
  copied.mockRestore()
})
