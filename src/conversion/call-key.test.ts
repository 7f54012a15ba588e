import { expect, test } from 'vitest'
import { callKey } from './call-key.ts'

const CALL = { callId: 'call_1', name: 'look_up', text: '{"city":"Łódź","days":[1,2],"in":{"a":1,"b":null}}' }

test('case 106: a call whose arguments a client has written anew keeps its key', () => {
  const text = '{ "in": {"b": null, "a": 1.0}, "days": [1, 2], "city": "\\u0141\\u00f3d\\u017a" }'
  expect(callKey({ ...CALL, text })).toBe(callKey(CALL))
})

test('case 106: an id of which a client keeps letters and digits alone, as OpenClaw does, keeps its key', () => {
  expect(callKey({ ...CALL, callId: 'call1' })).toBe(callKey(CALL))
})

test.each([
  ['id', { callId: 'call_2' }],
  ['id, by a capital letter,', { callId: 'call_1A' }],
  ['name', { name: 'look_down' }],
  ['arguments', { text: CALL.text.replace('[1,2]', '[2,1]') }],
])('case 78: a call with another %s has another key', (_what, other) => {
  expect(callKey({ ...CALL, ...other })).not.toBe(callKey(CALL))
})

test.each([
  ['no JSON', '*** Begin Patch'],
  ['nothing', ''],
  ['JSON of too many values', `[${'1,'.repeat(600_000)}1]`],
  ['JSON nested too deeply to be written', '['.repeat(100_000) + ']'.repeat(100_000)],
])('a text that is %s is its own key', (_what, text) => {
  expect(callKey({ ...CALL, text })).toBe(callKey({ ...CALL, text }))
  expect(callKey({ ...CALL, text: `${text} ` })).not.toBe(callKey({ ...CALL, text }))
})
