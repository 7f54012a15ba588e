import { expect, test } from 'vitest'
import { isLoopbackHost } from './endpoint.ts'

test.each([
  ['localhost', true],
  ['deep.localhost', true],
  ['127.8.8.8', true],
  ['[::1]', true],
  ['0.0.0.0', false],
  ['127.0.0.1.example.com', false],
  ['10.0.0.1', false],
  ['localhost.example.com', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected)
})
