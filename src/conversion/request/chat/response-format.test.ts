import { describe, expect, test } from 'vitest'
import { convertChat, refusalOf } from '../../../../test/support/converted-requests.ts'

const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } }
const textOf = (fields: object) => convertChat(fields).request.text
const jsonSchema = (json_schema: object) => ({ response_format: { type: 'json_schema', json_schema } })

test('case 92, 93: a schema goes to text.format, flat', () => {
  const { request, plan } = convertChat(
    jsonSchema({ name: 'book', description: 'A book.', schema: SCHEMA, strict: true }),
  )
  expect(request.text).toEqual({
    format: { type: 'json_schema', name: 'book', description: 'A book.', schema: SCHEMA, strict: true },
  })
  expect(request.response_format).toBeUndefined()
  expect(plan.jsonOutput).toBe(true)
})

test.each(['', 'a b', 'ä', 'x'.repeat(65)])('case 93: the name "%s" is refused', (name) => {
  expect(refusalOf(() => convertChat(jsonSchema({ name, schema: SCHEMA })))).toMatchObject({
    code: 'invalid_value',
    param: 'response_format.json_schema.name',
  })
})

test('case 94: strict is sent as false when absent', () => {
  expect(textOf(jsonSchema({ name: 'x', schema: SCHEMA }))).toMatchObject({ format: { strict: false } })
})

test('case 53, 55, 94: without a schema an empty one is sent, that may be strict where it has to be', () => {
  const empty = { type: 'object', properties: {} }
  const formatOf = (definition: object) => ({ format: { type: 'json_schema', name: 'x', ...definition } })
  expect(textOf(jsonSchema({ name: 'x' }))).toEqual(formatOf({ schema: empty, strict: false }))
  const schema = { ...empty, required: [], additionalProperties: false }
  expect(textOf(jsonSchema({ name: 'x', strict: true }))).toEqual(formatOf({ schema, strict: true }))
})

describe('case 95: JSON mode needs the word in input', () => {
  const json = { response_format: { type: 'json_object' } }
  const system = { role: 'system', content: 'Answer in JSON.' }
  const user = { role: 'user', content: 'Who?' }

  test('system messages stay in input', () => {
    const { request, plan } = convertChat({ ...json, messages: [system, user] })
    expect(request.instructions).toBe('')
    expect(request.input.map(({ role }) => role)).toEqual(['developer', 'user'])
    expect(request.text).toEqual({ format: { type: 'json_object' } })
    expect(plan.jsonOutput).toBe(true)
  })

  test('without the word the request is refused in the words of the API', () => {
    expect(refusalOf(() => convertChat({ ...json, messages: [user] }))).toEqual({
      status: 400,
      code: null,
      param: 'messages',
      message: "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    })
  })

  const call = { id: 'a', type: 'function', function: { name: 'to_json', arguments: '{}' } }
  const calling = (content: unknown) => [
    { role: 'assistant', tool_calls: [call] },
    { role: 'tool', tool_call_id: 'a', content },
  ]

  test.each<[string, object[]]>([
    [
      'the base64 of an image',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,jSoN' } }] }],
    ],
    ['the name of a function', calling('ok')],
    ['the name of a file', [{ role: 'user', content: [{ type: 'file', file: { file_id: 'x', filename: 'a.json' } }] }]],
  ])('letters in %s are not the word', (_where, messages) => {
    expect(refusalOf(() => convertChat({ ...json, messages: [user, ...messages] }))).toMatchObject({
      param: 'messages',
    })
  })

  test.each<[string, object[]]>([
    ['the text of a part', [{ role: 'user', content: [{ type: 'text', text: 'as Json' }] }]],
    ['an answer', [{ role: 'assistant', content: 'JSON?' }]],
    ['a refusal', [{ role: 'assistant', refusal: 'No json.' }]],
    ['the result of a tool', calling('json')],
    ['a part of the result of a tool', calling([{ type: 'text', text: 'json' }])],
  ])('the word may stand in %s', (_where, messages) => {
    expect(convertChat({ ...json, messages: [user, ...messages] }).request.text).toEqual({
      format: { type: 'json_object' },
    })
  })
})

test('case 96: text is no format', () => {
  const { request, plan } = convertChat({ response_format: { type: 'text' } })
  expect(request.text).toBeUndefined()
  expect(plan.jsonOutput).toBe(false)
})

test('case 97: a format in both places is refused', () => {
  const fields = { response_format: { type: 'text' }, text: { format: { type: 'text' } } }
  expect(refusalOf(() => convertChat(fields))).toMatchObject({ code: 'invalid_value', param: 'response_format' })
})

test('case 97, 100: format and verbosity are also taken where Responses has them', () => {
  const format = { type: 'json_schema', name: 'x', schema: SCHEMA, strict: true }
  const { request, plan } = convertChat({ text: { format, verbosity: 'low', other: 1 } })
  expect(request.text).toEqual({ format, verbosity: 'low' })
  expect(plan.ignored).toEqual(['text.other'])
})

test.each([
  [{ type: 'json_object', schema: SCHEMA }, 'schema'],
  [{ type: 'json_object', json_schema: { name: 'x' } }, 'json_schema'],
  [{ type: 'text', schema: SCHEMA }, 'schema'],
  [{ type: 'json_schema', json_schema: { name: 'x' }, name: 'y' }, 'name'],
  [{ type: 'json_schema', json_schema: { name: 'x', type: 'object' } }, 'json_schema.type'],
  [{ type: 'json_schema', name: 'x', other: 1 }, 'other'],
])('case 11: what a format has no place for is reported: %j', (response_format, name) => {
  const { plan } = convertChat({ response_format, messages: [{ role: 'user', content: 'JSON?' }] })
  expect(plan.ignored).toEqual([`response_format.${name}`])
})

test('case 98: schemas are passed as they are', () => {
  const schema = { type: 'array', prefixItems: [{ type: 'string' }], $defs: {} }
  expect(textOf(jsonSchema({ name: 'x', schema }))).toMatchObject({ format: { schema } })
})

test('case 100: verbosity is passed, and none made up', () => {
  expect(textOf({ verbosity: 'high' })).toEqual({ verbosity: 'high' })
  expect(textOf({})).toBeUndefined()
  expect(refusalOf(() => convertChat({ verbosity: 'loud' }))).toMatchObject({
    param: 'verbosity',
    code: 'invalid_value',
  })
})

test.each([
  ['low', 'high', ['text.verbosity']],
  ['low', 'low', []],
  ['low', undefined, []],
])('case 100: of verbosity %s and text.verbosity %s the one of Chat counts', (verbosity, other, ignored) => {
  const { request, plan } = convertChat({ verbosity, text: { verbosity: other } })
  expect([request.text, plan.ignored]).toEqual([{ verbosity }, ignored])
})

test.each([
  [{ type: 'xml' }, 'response_format.type', 'invalid_value'],
  [{}, 'response_format.type', 'missing_required_parameter'],
  [{ type: 'json_schema' }, 'response_format.json_schema', 'missing_required_parameter'],
  [{ type: 'json_schema', json_schema: {} }, 'response_format.json_schema.name', 'missing_required_parameter'],
  [
    { type: 'json_schema', json_schema: { name: 'x', schema: 'y' } },
    'response_format.json_schema.schema',
    'invalid_type',
  ],
  [
    { type: 'json_schema', json_schema: { name: 'x', strict: 'y' } },
    'response_format.json_schema.strict',
    'invalid_type',
  ],
])('the format %o is refused at its exact place', (response_format, param, code) => {
  expect(refusalOf(() => convertChat({ response_format }))).toMatchObject({ status: 400, param, code })
})
