import { describe, expect, test } from 'vitest'
import { parseNoProxy } from './no-proxy.ts'

describe('NO_PROXY', () => {
  test.each([
    ['example.com', 'https://example.com'],
    ['example.com', 'https://api.example.com/v1'],
    ['.example.com', 'https://example.com'],
    ['.example.com', 'https://api.example.com'],
    ['*.example.com', 'https://api.example.com'],
    ['Example.COM', 'https://API.example.com'],
    ['example.com.', 'https://example.com'],
    ['example.com', 'https://example.com.'],
    ['other.org, example.com', 'https://example.com'],
    ['other.org example.com', 'https://example.com'],
    ['*', 'https://anything.at.all'],
    ['example.com:443', 'https://example.com'],
    ['example.com:80', 'http://example.com'],
    ['example.com:8443', 'https://example.com:8443'],
    ['10.1.2.3', 'https://10.1.2.3'],
    ['10.0.0.0/8', 'https://10.9.8.7'],
    ['0.0.0.0/0', 'https://10.9.8.7'],
    ['fd00::/8', 'https://[fd12::1]'],
    ['fd12::1', 'https://[fd12::1]'],
    ['[fd12::1]:8443', 'https://[fd12::1]:8443'],
  ])('%s lets %s go direct', (text, url) => {
    expect(parseNoProxy(text)(new URL(url))).toBe(true)
  })

  test.each([
    ['', 'https://example.com'],
    [' , ', 'https://example.com'],
    ['example.com', 'https://notexample.com'],
    ['example.com', 'https://example.com.evil.org'],
    ['example.com', 'https://api.example.com.evil.org'],
    ['api.example.com', 'https://example.com'],
    ['example.com:8443', 'https://example.com'],
    ['10.0.0.0/8', 'https://11.0.0.1'],
    ['10.0.0.0/33', 'https://10.0.0.1'],
    ['10.0.0.0/-1', 'https://10.0.0.1'],
    ['10.0.0.0/8.5', 'https://10.0.0.1'],
    ['10.0.0.0/8', 'https://10.example.com'],
    ['0.0.1', 'https://10.0.0.1'],
    ['fd00::/8', 'https://[fe80::1]'],
    ['fd12::1', 'https://[fd12::2]'],
    ['*.com.', 'https://example.org'],
  ])('%s leaves %s to the proxy', (text, url) => {
    expect(parseNoProxy(text)(new URL(url))).toBe(false)
  })
})
