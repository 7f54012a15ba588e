import { expect, test } from 'vitest'
import { shorten } from './foreign-text.ts'

test('a text of a client is cut in a message, and says so', () => {
  expect(shorten('x'.repeat(64))).toBe('x'.repeat(64))
  expect(shorten(`${'x'.repeat(64)}y`)).toBe(`${'x'.repeat(64)}…`)
})

test('an emoji is not cut in half: Python cannot print a message with half of one', () => {
  expect(shorten(`${'x'.repeat(63)}🦊`)).toBe(`${'x'.repeat(63)}…`)
  expect(shorten(`${'x'.repeat(62)}🦊y`)).toBe(`${'x'.repeat(62)}🦊…`)
})
