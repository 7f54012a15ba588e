import { expect, test } from 'vitest'
import type { ResponsesRequest } from './upstream-body.ts'
import { asksForSummary, withoutSummary } from './without-summary.ts'

function requestOf(reasoning?: object): ResponsesRequest {
  return { model: 'm', reasoning, input: [], store: false, stream: true }
}

test.each([
  [undefined, false],
  [{}, false],
  [{ effort: 'low' }, false],
  [{ effort: 'low', summary: null }, false],
  [{ summary: 'auto' }, true],
])('case 24: %j asks for a summary: %s', (reasoning, asks) => {
  expect(asksForSummary(requestOf(reasoning))).toBe(asks)
})

test.each([
  [{ effort: 'low', summary: 'auto' }, { effort: 'low' }],
  [{ effort: undefined, summary: 'auto' }, undefined],
  [{ summary: 'auto' }, undefined],
  [undefined, undefined],
])('%j is %j without it', (reasoning, kept) => {
  expect(withoutSummary(requestOf(reasoning))).toEqual(requestOf(kept))
})
