import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PlaceholderFilter } from './placeholder-filter.ts'

function filtered(pieces: readonly string[]): string {
  const filter = new PlaceholderFilter()
  return pieces.map((piece) => filter.push(piece)).join('') + filter.end()
}

test.each([
  ['<!-- -->', ''],
  ['<!---->', ''],
  ['A\n<!-- -->\nB', 'A\nB'],
  ['  <!--   -->  \nB', 'B'],
  ['A <!-- -->', 'A <!-- -->'],
  ['<!-- note -->\n', '<!-- note -->\n'],
  ['<!-', '<!-'],
  ['\n\n', '\n\n'],
  [`<!--${' '.repeat(93)}-->\nB`, 'B'],
  [`<!--${' '.repeat(94)}-->\nB`, `<!--${' '.repeat(94)}-->\nB`],
])('%j becomes %j', (text, result) => {
  expect(filtered([text])).toBe(result)
})

test('text is the same however it was cut', () => {
  const bits = fc.constantFrom('<', '!', '--', '-', ' ', ' '.repeat(48), '>', '\n', 'a', '<!-- -->')
  fc.assert(
    fc.property(fc.array(bits), (pieces) => {
      expect(filtered(pieces)).toBe(filtered([pieces.join('')]))
    }),
  )
})

test('only the start of a placeholder line is held back', () => {
  const filter = new PlaceholderFilter()
  expect(['Think', ' <', '!\n', '<', 'b'].map((piece) => filter.push(piece))).toEqual(['Think', ' <', '!\n', '', '<b'])
})

test('of spaces no more are held back than a placeholder line may have', () => {
  const filter = new PlaceholderFilter()
  expect(filter.push(' '.repeat(100))).toBe('')
  expect([' ', ' '].map((piece) => filter.push(piece))).toEqual([' '.repeat(101), ' '])
})
