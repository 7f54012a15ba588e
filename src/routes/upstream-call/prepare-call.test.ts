import { expect, test } from 'vitest'
import type { ResponsesRequest } from '../../conversion/request/upstream-body.ts'
import type { ApiRequest } from '../api-request.ts'
import { sessionHeaders } from './prepare-call.ts'

test('case 181: the conversation of a request is that of its cache key, unless the client names one itself', () => {
  const named = { 'session-id': 'mine', 'x-codex-turn-state': 'opaque' }
  const request = (headers: Record<string, string>) => ({ headers }) as unknown as ApiRequest
  const keyless: ResponsesRequest = { model: 'gpt-5.5', input: [], store: false, stream: true }
  const body = { ...keyless, prompt_cache_key: 'key' }
  const derived = sessionHeaders(request({}), body)
  expect(Object.keys(derived)).toEqual(['session-id', 'thread-id'])
  expect(sessionHeaders(request(named), body)).toEqual({ ...derived, ...named })
  expect(sessionHeaders(request(named), keyless)).toEqual(named)
})
