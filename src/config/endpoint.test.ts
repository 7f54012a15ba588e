import { expect, test } from 'vitest'
import { bindAddress, isLoopbackHost } from './endpoint.ts'

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

test.each([
  ['localhost', '127.0.0.1'],
  ['LocalHost', '127.0.0.1'],
  ['proxy.localhost', '127.0.0.1'],
  ['127.8.8.8', '127.8.8.8'],
  ['::1', '::1'],
  ['0.0.0.0', '0.0.0.0'],
  ['proxy.example.com', 'proxy.example.com'],
])('a server at %s listens on %s', (host, expected) => {
  expect(bindAddress(host)).toBe(expected)
})
