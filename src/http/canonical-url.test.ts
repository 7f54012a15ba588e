import { expect, test } from 'vitest'
import { canonicalUrl } from './canonical-url.ts'

test.each([
  ['/v1/chat/completions', '/v1/chat/completions'],
  ['/chat/completions', '/v1/chat/completions'],
  ['/responses', '/v1/responses'],
  ['/responses/compact', '/v1/responses/compact'],
  ['/v1/v1/responses?x=1', '/v1/responses?x=1'],
  ['/v1//chat/completions', '/v1/chat/completions'],
  ['/v1///responses', '/v1/responses'],
  ['/v1//v1/responses', '/v1/responses'],
  ['//chat/completions', '/v1/chat/completions'],
  ['//v1/models', '/v1/models'],
  ['//other.example/v1/models', '/other.example/v1/models'],
  ['/v1/models/a//b?x=//', '/v1/models/a//b?x=//'],
  ['/v12//models', '/v12//models'],
  ['/models/openai/gpt-5.5', '/v1/models/openai/gpt-5.5'],
  ['/models?client_version=1', '/v1/models?client_version=1'],
  ['/modelsx', '/modelsx'],
  ['/health', '/health'],
  ['http://other.example/v1/models', '/v1/models'],
  ['http://other.example', '/'],
  ['http://other.example?x=/v1/models', '?x=/v1/models'],
  ['HTTP://OTHER.example/v1/models', '/v1/models'],
  ['x+y://other.example/v1/models', '/v1/models'],
  ['/v1/http://other.example/x', '/v1/http://other.example/x'],
  // Only dots are resolved: all else goes on as it came.
  ['/v1/files/a"b\\c', '/v1/files/a"b\\c'],
  ['/v1/../admin?x=/../y', '/admin?x=/../y'],
  ['/v1/%2E%2e/admin', '/admin'],
  ['/v1/files/..', '/v1/'],
  ['/v1/..?x=1', '/?x=1'],
  ['/v1/..#x', '/#x'],
  ['/v1/..\\..\\admin', '/admin'],
  ['/v1/files\\..\\..\\..\\admin', '/admin'],
  ['/v1/./models', '/v1/models'],
  ['/v1/../v1/files/a..b/.c', '/v1/files/a..b/.c'],
  ['//../v1/models', '/v1/models'],
  ['/v1/models?a=/..', '/v1/models?a=/..'],
])('case 20: %s is served as %s', (given, canonical) => {
  expect(canonicalUrl(given)).toBe(canonical)
})
