import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLegible } from '../test/support/legible-names.ts'
import { closingQuote, endsObject, hasMoreValues, keepMembers } from './json-text.ts'

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"', '\\', '\\"', '{', ']', '":', '\\\\"'))

test('a string ends at its first quote that no backslash escapes', () => {
  fc.assert(
    fc.property(text, text, (inside, after) => {
      const json = JSON.stringify(inside)
      expect(closingQuote(Buffer.from(json + after), 1)).toBe(Buffer.byteLength(json) - 1)
    }),
  )
  expect(closingQuote(Buffer.from('no end'), 0)).toBe(-1)
  expect(closingQuote(Buffer.from('\\"'), 0)).toBe(-1)
})

test.each([
  ['}', true],
  [',"b":1}', true],
  ['', false],
  ['}}', false],
  [',}', false],
  [',"b":1', false],
  [';"b":1}', false],
])('behind a value %j is the rest of its object: %s', (rest, isRest) => {
  const event = `{"a":"x"${rest}`
  expect(endsObject(Buffer.from(`${event}\n\n{}`), '{"a":"x"'.length, event.length)).toBe(isRest)
})

/** JSON values with what may mislead a reader: quotes, brackets and backslashes in texts and names. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, -1.5e-7, 1e21),
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text.filter(isLegible), tie('value'), { maxKeys: 4 }),
  ),
})).value

test('the members kept are those that JSON.parse sees, whatever stands around them', () => {
  const names = fc.oneof(fc.constantFrom('id', 'usage', 'output'), fc.string().filter(isLegible))
  const object = fc.dictionary(names, json, { maxKeys: 8 })
  const kept = new Set(['id', 'usage', 'output'])
  fc.assert(
    fc.property(json, object, json, (before, response, after) => {
      const whole = JSON.stringify({ before, response, after })
      const start = Buffer.byteLength(JSON.stringify({ before })) + '"response":'.length
      const lean = keepMembers(Buffer.from(whole), start, (name) => kept.has(name))
      if (lean === undefined) {
        expect(Object.keys(response).some((name) => JSON.stringify(name).includes('\\'))).toBe(true)
        return
      }
      const members = Object.entries(JSON.parse(whole).response).filter(([name]) => kept.has(name))
      expect(JSON.parse(lean)).toEqual({ ...JSON.parse(whole), response: Object.fromEntries(members) })
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['{"id":1'],
  ['{"id":"1'],
  ['{"id":{"a":1}'],
  ['{"id":["a}'],
  ['{"id":}'],
  ['{"id"'],
  ['{"id": 1}'],
  ['{ "id":1}'],
  ['{"id":1 }'],
  ['{"i\\u0064":1}'],
])('%s: what does not end, or is spaced or escaped, is left to JSON.parse', (broken) => {
  expect(keepMembers(Buffer.from(broken), 0, (name) => name === 'id')).toBeUndefined()
})

/** How many values there are in a value, itself included; an empty list or object counts as two. */
function countIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, each) => sum + countIn(each), 1) + (isEmpty(value) ? 1 : 0)
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0
}

test('values are counted wherever they are; what looks like them in texts and names is not', () => {
  fc.assert(
    fc.property(json, fc.constantFrom(0, 1), (value, indent) => {
      const text = Buffer.from(JSON.stringify(value, null, indent))
      const count = countIn(value)
      expect([count - 1, count].map((most) => hasMoreValues(text, most))).toEqual([true, false])
    }),
  )
})

test('a text without an end ends the count', () => {
  expect(hasMoreValues(Buffer.from('[1,"a\\",2'), 3)).toBe(false)
})
