import { expect, test } from 'vitest'
import { ApiError } from '../../errors.ts'
import type { ResponsesRequest } from './upstream-body.ts'
import { isReasoningRefusal } from './without-reasoning.ts'

const REASONING = { type: 'reasoning' }
const SEARCH = { type: 'web_search_call' }
const requestWith = (...input: { type: string; id?: string }[]): ResponsesRequest => ({
  model: 'gpt-5.5',
  input,
  store: false,
  stream: true,
})

const refusal = (message: string, code: string | null = null, status = 400) =>
  new ApiError(message, { status, type: 'invalid_request_error', param: null, code })

test.each([
  refusal('It could not be verified.', 'invalid_encrypted_content'),
  refusal("Item 'rs_1' of type 'reasoning' was provided without its required following item."),
  refusal('Reasoning items of another model can not be used.'),
  refusal('The encrypted content could not be decrypted.'),
  refusal("Invalid 'input[1].encrypted_content': string too long."),
  refusal("Invalid 'input[12].id': 'thinking_0'. Expected an ID that begins with 'rs'.", 'invalid_value'),
])('case 110, 111, 203: reasoning is refused: $message', (error) => {
  expect(isReasoningRefusal(error, requestWith(...Array(20).fill(REASONING)))).toBe(true)
})

const notFound = (id: string) =>
  refusal(`Item with id '${id}' not found. Items are not persisted when \`store\` is set to false.`, null, 404)

test('case 109, 110: reasoning that upstream looks for and does not find is refused, another item is not', () => {
  const request = requestWith({ type: 'reasoning', id: 'rs_1' }, { type: 'item_of_theirs', id: 'ig_1' })
  expect(isReasoningRefusal(notFound('rs_1'), request)).toBe(true)
  expect(isReasoningRefusal(notFound('ig_1'), request)).toBe(false)
  expect(isReasoningRefusal(refusal('Model not found', null, 404), request)).toBe(false)
})

test.each([
  refusal("Invalid 'input[0].id': 'ws'. Expected an ID that begins with 'ws_'.", 'invalid_value'),
  refusal("Invalid 'input[0].encrypted_content': string too long."),
  refusal("Invalid 'input[2].id': 'ws'. Expected an ID that begins with 'ws_'.", 'invalid_value'),
])('an item of another kind is refused, whatever reasoning there is besides: $message', (error) => {
  expect(isReasoningRefusal(error, requestWith(SEARCH, REASONING))).toBe(false)
})

test.each([
  refusal("Unsupported value: 'reasoning.effort' does not support 'minimal' with this model."),
  refusal("Invalid value: 'reasoning.encrypted_content'. It can not be included with this model."),
  refusal("Invalid value: 'input[0]'.", 'invalid_value'),
  refusal("Invalid 'input[0].call_id': string too long.", 'string_above_max_length'),
  refusal('The encrypted content could not be decrypted.', null, 500),
])('other refusals have to do with something else: $message', (error) => {
  expect(isReasoningRefusal(error, requestWith(REASONING))).toBe(false)
})
