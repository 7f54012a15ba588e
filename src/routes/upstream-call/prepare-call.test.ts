import { expect, test } from 'vitest'
import { sessionHeaders } from './prepare-call.ts'

test('case 181: the conversation of a request is that of its cache key, unless the client names one itself', () => {
  const named = { 'session-id': 'mine', 'x-codex-turn-state': 'opaque' }
  const body = { prompt_cache_key: 'key' }
  const derived = sessionHeaders({ headers: {} }, body)
  expect(Object.keys(derived)).toEqual(['session-id', 'thread-id'])
  expect(sessionHeaders({ headers: named }, body)).toEqual({ ...derived, ...named })
  expect(sessionHeaders({ headers: named }, {})).toEqual(named)
})
