import { expect, test } from 'vitest'
import { ApiError } from '../../errors.ts'
import type { ResponsesRequest } from './upstream-body.ts'
import { asksForSummary, isSummaryRefusal, withoutSummary } from './without-summary.ts'

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

test.each([
  ['unsupported_parameter', "Unsupported parameter: 'reasoning.summary' is not supported with this model.", true],
  ['unsupported_parameter', "Unsupported parameter: 'reasoning.effort' is not supported with this model.", false],
  ['unsupported_value', "Unsupported value: 'reasoning.summary' does not support 'x' with this model.", false],
])('with %s, %s refuses the summary: %s', (code, message, refuses) => {
  const refusal = new ApiError(message, { status: 400, type: 'invalid_request_error', code })
  expect(isSummaryRefusal(refusal)).toBe(refuses)
})
