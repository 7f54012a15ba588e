import { expect, test } from 'vitest'
import { requireJson } from './content-type.ts'

test.each([
  'application/json',
  'application/json; charset=utf-8',
  'Application/JSON;charset=UTF-8',
  ' application/json ;x=1',
  'application/vnd.api+json',
  'application/problem+json; charset=utf-8',
])('case 22: %j is JSON', (type) => {
  expect(() => requireJson({ 'content-type': type })).not.toThrow()
})

test.each([
  ['text/plain'],
  ['text/plain; application/json'],
  ['text/plain;charset=UTF-8'],
  ['application/x-www-form-urlencoded'],
  ['multipart/form-data; boundary=x'],
  ['application/json, text/plain'],
  ['application/jsonp'],
  ['application/json+xml'],
  ['application/+json'],
  ['text/json'],
  ['text/plain application/json'],
  ['json'],
  [''],
  [undefined],
])('case 22: %j is refused', (type) => {
  expect(() => requireJson(type === undefined ? {} : { 'content-type': type })).toThrow(
    expect.objectContaining({ status: 415, code: 'unsupported_content_type' }),
  )
})

test.each([
  [undefined, 'The body has no content type.'],
  [' ;charset=utf-8', 'The body has no content type.'],
  ['Text/Plain; x=1', 'The body is not JSON but text/plain.'],
  ['x'.repeat(60), `The body is not JSON but ${'x'.repeat(60)}.`],
  // Not repeated to its sender.
  ['x'.repeat(5000), `The body is not JSON but ${'x'.repeat(60)}….`],
])('the refusal of %j says what came', (type, message) => {
  expect(() => requireJson({ 'content-type': type })).toThrow(expect.objectContaining({ message }))
})
