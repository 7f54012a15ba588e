import { expect, test } from 'vitest'
import { derivePromptCacheKey, sessionHeaderValue } from './prompt-cache-key.ts'

test('case 183: the session header is the key itself where that is a plain token', () => {
  for (const key of [
    'my-key_1.2',
    'x'.repeat(64),
    derivePromptCacheKey({ model: 'gpt-5.5', instructions: '', tools: [], input: [] }, JSON.stringify),
  ]) {
    expect(sessionHeaderValue(key)).toBe(key)
  }
})

test.each(['', 'a b', 'a\r\nb', 'ü', 'x'.repeat(65)])('case 183: the key %j is hashed for the header', (key) => {
  expect(sessionHeaderValue(key)).toMatch(/^[0-9a-f]{64}$/)
  expect(sessionHeaderValue(key)).toBe(sessionHeaderValue(key))
})
