import { expect, test } from 'vitest'
import { imageRequestOf } from './image-request.ts'

const NAMED = { model: 'gpt-image-2', prompt: 'A fox' }

test.each([NAMED, { ...NAMED, n: 2, size: 'auto' }, [], 'x', null, undefined])('%j is left as it is', (given) => {
  expect(imageRequestOf(given, false)).toBeUndefined()
})

test.each([undefined, null, ''])('in place of the model %j one is named', (model) => {
  expect(imageRequestOf({ ...NAMED, model }, false)).toEqual({ body: NAMED, stream: false, ignored: [] })
})

test.each([
  [{ stream: true }, true, []],
  [{ stream: false }, false, []],
  [{ stream: null, partial_images: null }, false, []],
  [{ stream: true, partial_images: 0 }, true, []],
  [{ stream: true, partial_images: 1 }, true, ['partial_images']],
])('%j is not sent', (fields, stream, ignored) => {
  expect(imageRequestOf({ ...NAMED, ...fields }, false)).toEqual({ body: NAMED, stream, ignored })
})

test('with --strict images that would not come are refused', () => {
  expect(() => imageRequestOf({ ...NAMED, partial_images: 2 }, true)).toThrow(/partial_images/)
})
