import { expect, test } from 'vitest'
import { refusalOf } from '../../../test/support/converted-requests.ts'
import { JsonPlace } from './json-place.ts'

test('a fault of the whole body names no field', () => {
  expect(refusalOf(() => new JsonPlace([]).object())).toMatchObject({ code: 'invalid_type', param: null })
})

test('what every object inherits is no property of a body', () => {
  const body = new JsonPlace({})
  expect(body.at('toString').absent).toBe(true)
  expect(body.hasAny(['toString'])).toBe(false)
})

test('case 24: a property that is null is none', () => {
  expect(new JsonPlace({ a: null }).hasAny(['a'])).toBe(false)
  expect(new JsonPlace({ a: null, b: false }).hasAny(['a', 'b'])).toBe(true)
  expect(new JsonPlace('text').hasAny(['length'])).toBe(false)
})

test.each([
  [null, 'null'],
  [[], 'an array'],
  [{}, 'an object'],
  [1, 'an integer'],
  [1.5, 'a decimal'],
  ['text', 'a string'],
  [true, 'a boolean'],
])('%j is named as the API names it: %s', (value, name) => {
  const message = `Invalid type for 'a': expected a number, but got ${name} instead.`
  expect(new JsonPlace(value, 'a').wrongType('a number').message).toBe(message)
})

test.each([
  [['one'], "'one'"],
  [['one', 'two'], "'one' and 'two'"],
  [['one', 'two', 'three'], "'one', 'two', and 'three'"],
])('the words %j are told as the API tells them', (words, told) => {
  expect(refusalOf(() => new JsonPlace('x', 'a').word(words)).message).toBe(
    `Invalid value: 'x'. Supported values are: ${told}.`,
  )
})
