import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unsignedJwt } from '../support/auth-files.ts'
import { loadFixture } from './fixtures.ts'
import { type FakeUpstream, startFakeUpstream } from './server.ts'

/** What the backend takes; each test spoils one thing. */
const GOOD_BODY = {
  model: 'gpt-5.5',
  instructions: '',
  input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }],
  store: false,
  stream: true,
}
const GOOD_HEADERS = {
  authorization: 'Bearer some-access-token',
  'user-agent': 'codex-api-proxy/0.2.0 (Linux)',
  version: '0.169.0',
  'content-type': 'application/json',
}

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await startFakeUpstream({ acceptToken: (token) => token !== 'old-token' })
})
afterAll(() => upstream.close())

async function post(change: object, headers: Record<string, string> = {}) {
  const answer = await fetch(`${upstream.chatgptBaseUrl}/responses`, {
    method: 'POST',
    headers: { ...GOOD_HEADERS, ...headers },
    body: JSON.stringify({ ...GOOD_BODY, ...change }),
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

async function expectDetail(change: object, detail: string, headers = {}) {
  const { status, text } = await post(change, headers)
  expect({ status, body: JSON.parse(text) }).toEqual({ status: 400, body: { detail } })
}

async function expectError(change: object, expected: { message: RegExp; param: string | null; code: string | null }) {
  const { status, text } = await post(change)
  const { error } = JSON.parse(text)
  expect(status).toBe(400)
  expect(error).toMatchObject({ type: 'invalid_request_error', param: expected.param, code: expected.code })
  expect(error.message).toMatch(expected.message)
}

test('a body without fault is answered by a stream with an empty output at its end', async () => {
  const { status, headers, text } = await post({})
  expect(status).toBe(200)
  expect(headers.get('content-type')).toContain('text/event-stream')
  expect(headers.get('x-codex-primary-used-percent')).toBe('12')
  expect(text).toMatch(/event: response\.completed\ndata: .*"output":\[\]/)
})

describe('the ChatGPT side refuses', () => {
  const unsupported = [
    'max_output_tokens',
    'temperature',
    'top_p',
    'top_logprobs',
    'truncation',
    'metadata',
    'user',
    'safety_identifier',
    'prompt_cache_retention',
    'prompt_cache_options',
    'background',
    'max_tool_calls',
    'previous_response_id',
    'presence_penalty',
    'frequency_penalty',
    'seed',
    'stream_id',
    'generate',
    'messages',
    'something_new',
  ]
  test.each(['data:image/svg+xml;base64,PHN2Zz4=', 'data:image/png;base64,'])('the image %s', async (image_url) => {
    const content = [{ type: 'input_image', image_url }]
    const expected = { message: /does not represent a valid image/, param: 'input', code: 'invalid_value' }
    await expectError({ input: [{ type: 'message', role: 'user', content }] }, expected)
    const call = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' }
    await expectError({ input: [call, { type: 'function_call_output', call_id: 'a', output: content }] }, expected)
  })

  test('half of a character, which its parser of JSON does not take', async () => {
    const content = [{ type: 'input_text', text: 'cut \ud83d' }]
    const expected = { message: /failed to parse JSON value/, param: null, code: 'invalid_json' }
    await expectError({ input: [{ type: 'message', role: 'user', content }] }, expected)
  })

  test.each(unsupported)('the parameter %s', async (name) => {
    await expectDetail({ [name]: 1 }, `Unsupported parameter: ${name}`)
  })

  test('stream_options other than that of Codex', async () => {
    await expectDetail({ stream_options: { include_usage: true } }, 'Unsupported parameter: stream_options')
    expect((await post({ stream_options: { reasoning_summary_delivery: 'x' } })).status).toBe(200)
  })

  test.each([[true], [undefined], [null]])('store %s', async (store) => {
    await expectDetail({ store }, 'Store must be set to false')
  })

  test.each([[false], [undefined], [null]])('stream %s', async (stream) => {
    await expectDetail({ stream }, 'Stream must be set to true')
  })

  test('an input that is no list', async () => {
    await expectDetail({ input: 'Hello' }, 'Input must be a list')
  })

  test.each([[undefined], [null], [7]])('instructions %s', async (instructions) => {
    await expectDetail({ instructions }, 'Instructions are required')
  })

  test('no instructions, unless the first item is a developer message as Codex sends it', async () => {
    const input = [{ type: 'message', role: 'developer', content: 'Be brief.' }, ...GOOD_BODY.input]
    expect((await post({ instructions: undefined, input })).status).toBe(200)
  })

  test('system messages', async () => {
    const input = [{ type: 'message', role: 'system', content: 'Be brief.' }]
    await expectDetail({ input }, 'System messages are not allowed')
  })

  test('service tiers other than priority', async () => {
    await expectDetail({ service_tier: 'fast' }, 'Unsupported service_tier: fast')
    for (const service_tier of ['priority', 'default']) expect((await post({ service_tier })).status).toBe(200)
  })

  test('a model that is not on the plan', async () => {
    await expectDetail(
      { model: 'gpt-4o' },
      "The 'gpt-4o' model is not supported when using Codex with a ChatGPT account.",
    )
  })

  test('a model newer than the client version', async () => {
    const text =
      "The 'gpt-6.1-sol' model requires a newer version of Codex. Please upgrade to the latest app or CLI and try again."
    await expectDetail({ model: 'gpt-6.1-sol' }, text, { version: '0.99.9' })
    expect((await post({ model: 'gpt-6.1-sol' })).status).toBe(200)
  })

  test('a reasoning effort the model does not list', async () => {
    const expected = { message: /'minimal' is not supported/, param: 'reasoning.effort', code: 'unsupported_value' }
    await expectError({ reasoning: { effort: 'minimal' } }, expected)
    expect((await post({ reasoning: { effort: 'none' } })).status).toBe(200)
    expect((await post({ model: 'gpt-6-astra', reasoning: { effort: 'none' } })).status).toBe(400)
  })

  test('the mode ultra, though the model lists it', async () => {
    const expected = { message: /^Invalid value: 'ultra'/, param: 'reasoning.effort', code: 'invalid_value' }
    await expectError({ model: 'gpt-6.1-sol', reasoning: { effort: 'ultra' } }, expected)
  })

  test('the Lite header together with other kinds of tools', async () => {
    const lite = { 'x-openai-internal-codex-responses-lite': 'true' }
    const { status, text } = await post({ tools: [{ type: 'web_search' }] }, lite)
    expect(status).toBe(400)
    expect(JSON.parse(text).error).toMatchObject({ code: 'unsupported_value', param: 'tools' })
    const added = { type: 'additional_tools', role: 'developer', tools: [{ type: 'image_generation' }] }
    expect((await post({ input: [added, ...GOOD_BODY.input] }, lite)).status).toBe(400)
    expect((await post({ input: [{ ...added, tools: ['f'] }, ...GOOD_BODY.input] }, lite)).status).toBe(400)
    expect((await post({ tools: [{ type: 'tool_search', execution: 'server' }] }, lite)).status).toBe(400)
    expect((await post({ tools: [{ type: 'tool_search', execution: 'client' }] }, lite)).status).toBe(200)
    const tools = [{ type: 'function', name: 'f', parameters: {} }]
    expect((await post({ tools }, lite)).status).toBe(200)
    const input = [{ ...added, tools }, ...GOOD_BODY.input]
    expect((await post({ input, tool_choice: 'auto' }, lite)).status).toBe(200)
    const forced = await post({ input, tool_choice: { type: 'function', name: 'f' } }, lite)
    expect([forced.status, forced.text]).toEqual([400, expect.stringContaining("Tool choice 'f' not found in 'tools'")])
  })

  test.each([
    ['an unknown key of a message', { role: 'user', content: 'x', name: 'Ann' }, 'input[0].name', 'unknown_parameter'],
    [
      'an unknown key of a part',
      { role: 'user', content: [{ type: 'input_text', text: 'x', cache_control: {} }] },
      'input[0].content[0].cache_control',
      'unknown_parameter',
    ],
    ['a message without content', { role: 'user' }, 'input[0].content', 'missing_required_parameter'],
    ['an unknown role', { role: 'tool', content: 'x' }, 'input[0].role', 'invalid_value'],
    [
      'input text of the assistant',
      { role: 'assistant', content: [{ type: 'input_text', text: 'x' }] },
      'input[0].content[0].type',
      'invalid_value',
    ],
    [
      'a part in Chat form',
      { role: 'user', content: [{ type: 'text', text: 'x' }] },
      'input[0].content[0].type',
      'invalid_value',
    ],
    [
      'a call id over 64 characters',
      { type: 'function_call', call_id: 'c'.repeat(65), name: 'f', arguments: '{}' },
      'input[0].call_id',
      'string_above_max_length',
    ],
    [
      'an empty call id',
      { type: 'function_call', call_id: '', name: 'f', arguments: '{}' },
      'input[0].call_id',
      'empty_string',
    ],
    [
      'an id that is not of its type',
      { type: 'message', id: 'item_1', role: 'user', content: 'x' },
      'input[0].id',
      'invalid_value',
    ],
    [
      'a call without a name',
      { type: 'function_call', call_id: 'c', arguments: '{}' },
      'input[0].name',
      'missing_required_parameter',
    ],
  ])('%s', async (_name, item, param, code) => {
    await expectError({ input: [item] }, { message: /./, param, code })
  })

  test('a call without its result and a result without its call', async () => {
    const call = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' }
    const output = { type: 'function_call_output', call_id: 'call_1', output: 'ok' }
    const custom = { type: 'custom_tool_call_output', call_id: 'call_1', output: 'ok' }
    const open = { message: /^No tool output found for function call call_1\.$/, param: 'input', code: null }
    await expectError({ input: [call] }, open)
    await expectError({ input: [call, custom] }, open)
    const stray = { message: /^No tool call found for function call output/, param: 'input', code: null }
    await expectError({ input: [output] }, stray)
    const uncalled = { type: 'function_call_output', output: 'ok' }
    const nameless = {
      message: /^A function call output without a call_id requires a name/,
      param: 'input',
      code: null,
    }
    await expectError({ input: [uncalled] }, nameless)
    expect((await post({ input: [{ ...uncalled, name: 'f' }, ...GOOD_BODY.input] })).status).toBe(200)
    expect((await post({ input: [call, ...GOOD_BODY.input, output] })).status).toBe(200)
  })

  test('a call without the namespace of its tool, and a namespace where no tool is in one', async () => {
    const call = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' }
    const output = { type: 'function_call_output', call_id: 'call_1', output: 'ok' }
    const tools = [{ type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'f' }] }]
    const param = 'input[0].namespace'
    await expectError({ tools, input: [call, output] }, { message: /^Missing namespace/, param, code: null })
    const named = [{ ...call, namespace: 'n' }, output]
    await expectError({ input: named }, { message: /^Unknown parameter/, param, code: 'unknown_parameter' })
    expect((await post({ tools, input: named })).status).toBe(200)
    const added = { type: 'additional_tools', role: 'developer', tools }
    expect((await post({ input: [...named, added] })).status).toBe(200)
  })

  test('items that would have to be stored', async () => {
    expect((await post({ input: [{ type: 'item_reference', id: 'rs_1' }] })).status).toBe(404)
    expect((await post({ input: [{ type: 'reasoning', id: 'rs_1', summary: [] }] })).status).toBe(404)
  })

  test('reasoning without a summary', async () => {
    const input = [{ type: 'reasoning', encrypted_content: 'a' }]
    const param = 'input[0].summary'
    await expectError({ input }, { message: /^Missing/, param, code: 'missing_required_parameter' })
  })

  test('reasoning with what other providers put there', async () => {
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' }
    const answer = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hm' }] }
    const withFields = (fields: object) => ({ input: [{ ...reasoning, ...fields }, answer, ...GOOD_BODY.input] })
    const unknown = { message: /^Unknown parameter/, param: 'input[0].status', code: 'unknown_parameter' }
    await expectError(withFields({ status: 'completed' }), unknown)
    const long = { message: /maximum length 0/, param: 'input[0].content', code: 'array_above_max_length' }
    await expectError(withFields({ content: [{ type: 'reasoning_text', text: 'Hm' }] }), long)
    for (const content of [[], null]) expect((await post(withFields({ content }))).status).toBe(200)
  })

  test('reasoning without what the model then said or called', async () => {
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' }
    const alone = { message: /^Item 'rs_1' .* without its required following item\.$/, param: 'input', code: null }
    await expectError({ input: [reasoning] }, alone)
    await expectError({ input: [reasoning, ...GOOD_BODY.input] }, alone)
    const answer = { role: 'assistant', content: 'Hello' }
    expect((await post({ input: [reasoning, answer, ...GOOD_BODY.input] })).status).toBe(200)
  })

  test('a forced image, and the call id of one', async () => {
    const tools = [{ type: 'image_generation' }]
    const choice = { message: /image_generation/, param: 'tool_choice', code: 'invalid_value' }
    await expectError({ tools, tool_choice: { type: 'image_generation' } }, choice)
    const call = { type: 'image_generation_call', id: 'ig_1', status: 'completed', result: 'aGk=' }
    const input = [{ ...call, call_id: 'call_1' }, ...GOOD_BODY.input]
    const param = 'input[0].call_id'
    await expectError({ tools, input }, { message: /^Unknown parameter/, param, code: 'unknown_parameter' })
    expect((await post({ tools, input: [call, ...GOOD_BODY.input] })).status).toBe(200)
    const told = { message: /^Unknown parameter/, param: 'input[0].action', code: 'unknown_parameter' }
    await expectError({ input: [{ ...call, action: 'generate' }, ...GOOD_BODY.input] }, told)
    expect((await post({ input: [{ ...call, result: null }, ...GOOD_BODY.input] })).status).toBe(404)
  })

  test('a search with its sources', async () => {
    const search = { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'a' } }
    const param = 'input[0].action.sources'
    const sourced = { ...search, action: { ...search.action, sources: null } }
    await expectError(
      { input: [sourced, ...GOOD_BODY.input] },
      { message: /^Unknown parameter/, param, code: 'unknown_parameter' },
    )
    expect((await post({ input: [search, ...GOOD_BODY.input] })).status).toBe(200)
  })

  test('a JSON object without the word in the input', async () => {
    const text = { format: { type: 'json_object' } }
    await expectError({ text }, { message: /must contain the word 'json'/, param: 'input', code: null })
    const input = [{ role: 'user', content: 'Answer in JSON.' }]
    expect((await post({ text, input })).status).toBe(200)
  })

  test.each([
    [{ tools: [{ type: 'local_shell' }] }, 'tools[0].type', null],
    [{ tools: [{ type: 'function', name: 'a.b', strict: false }] }, 'tools[0].name', 'invalid_value'],
    [{ tools: [{ type: 'custom', name: 'a'.repeat(65) }] }, 'tools[0].name', 'string_above_max_length'],
    [{ tools: [{ type: 'web_search', cache_control: {} }] }, 'tools[0].cache_control', 'unknown_parameter'],
    [{ tools: [{ type: 'custom', name: 'a' }], tool_choice: { type: 'custom', name: 'b' } }, 'tool_choice', null],
    [
      { tools: [{ type: 'web_search', filters: {} }], tool_choice: { type: 'web_search' } },
      'tool_choice',
      'invalid_value',
    ],
  ])('the tools or their choice in %j', async (change, param, code) => {
    await expectError(change, { message: /./, param, code })
  })

  test('tools that search and are found, and filters among the allowed tools are no fault', async () => {
    const search = { type: 'web_search', filters: {} }
    const choice = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'web_search' }] }
    expect((await post({ tools: [search], tool_choice: choice })).status).toBe(200)
    const found = { tools: [{ type: 'tool_search' }], tool_choice: { type: 'function', name: 'found' } }
    expect((await post(found)).status).toBe(200)
  })

  test.each([
    [{ arguments: {} }, { output: '' }, 'input[0].arguments', 'invalid_type'],
    [{ arguments: '{}', parsed_arguments: {} }, { output: '' }, 'input[0].parsed_arguments', 'unknown_parameter'],
    [{ arguments: '{}' }, { output: {} }, 'input[1].output', 'invalid_type'],
    [{ arguments: '{}' }, { output: [{ type: 'text', text: '' }] }, 'input[1].output[0].type', 'invalid_value'],
    [
      { arguments: '{}' },
      { output: [{ type: 'input_text', text: '', cache_control: {} }] },
      'input[1].output[0].cache_control',
      'unknown_parameter',
    ],
  ])('a call %j with the result %j', async (call, result, param, code) => {
    const input = [
      { type: 'function_call', call_id: 'call_1', name: 'f', ...call },
      { type: 'function_call_output', call_id: 'call_1', ...result },
    ]
    await expectError({ input }, { message: /./, param, code })
  })

  test('a body of another type', () => expectDetail({}, 'Unsupported content type', { 'content-type': 'text/plain' }))

  test('tools in Chat form and long cache keys', async () => {
    const tools = [{ type: 'function', function: { name: 'f' } }]
    await expectError(
      { tools },
      { message: /tools\[0\]\.name/, param: 'tools[0].name', code: 'missing_required_parameter' },
    )
    const key = { prompt_cache_key: 'k'.repeat(65) }
    await expectError(key, { message: /too long/, param: 'prompt_cache_key', code: 'string_above_max_length' })
  })

  test('a strict function with an optional argument, or that takes others', async () => {
    const { tools } = loadFixture('error-resp-400-schema-json').request ?? {}
    const refused = { message: /^Invalid schema/, param: 'tools[0].parameters', code: 'invalid_function_parameters' }
    await expectError({ tools }, refused)
    const parameters = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }
    const tool = { type: 'function', name: 'f', strict: true, parameters }
    await expectError({ tools: [tool] }, refused)
    const closed = { ...tool, parameters: { ...parameters, additionalProperties: false } }
    expect((await post({ tools: [closed] })).status).toBe(200)
    expect((await post({ tools: [{ ...tool, strict: false }] })).status).toBe(200)
  })

  test('a missing or outdated token', async () => {
    const { status, text } = await post({}, { authorization: '' })
    expect({ status, body: JSON.parse(text) }).toEqual({ status: 401, body: { detail: 'Unauthorized' } })
    const outdated = await post({}, { authorization: 'Bearer old-token' })
    expect(outdated.status).toBe(401)
    expect(JSON.parse(outdated.text).error.code).toBe('token_expired')
  })

  test('a workspace of a region that the client does not name', async () => {
    const bearer = (region: string) =>
      `Bearer ${unsignedJwt({ 'https://api.openai.com/auth': { chatgpt_compute_residency: region } })}`
    const authorization = bearer('eu')
    const elsewhere = await post({}, { authorization, 'x-openai-internal-codex-residency': 'us' })
    expect(elsewhere.status).toBe(401)
    expect(JSON.parse(elsewhere.text).error.message).toBe('Workspace is not authorized in this region.')
    expect((await post({}, { authorization })).status).toBe(401)
    expect((await post({}, { authorization, 'x-openai-internal-codex-residency': 'eu' })).status).toBe(200)
    expect((await post({}, { authorization: bearer('no_constraint') })).status).toBe(200)
  })

  test.each(['', 'node', 'undici', 'Mozilla/5.0 (X11)', 'python-requests/2.32', 'codex'])(
    'the user agent "%s" with a challenge page',
    async (userAgent) => {
      const { status, headers, text } = await post({}, { 'user-agent': userAgent })
      expect(status).toBe(403)
      expect(headers.get('cf-mitigated')).toBe('challenge')
      expect(text).toContain('<html')
    },
  )
})

test('the catalogue hides models from older clients and never answers strangers', async () => {
  const list = async (version: string) => {
    const answer = await fetch(`${upstream.chatgptBaseUrl}/models?client_version=${version}`, { headers: GOOD_HEADERS })
    const { models } = (await answer.json()) as { models: { slug: string }[] }
    return models.map(({ slug }) => slug)
  }
  expect(await list('0.169.0')).toEqual(['gpt-6.1-sol', 'gpt-6-astra', 'gpt-5.6-luna', 'gpt-5.5', 'codex-auto-review'])
  expect(await list('0.144.9')).toEqual(['gpt-5.6-luna', 'gpt-5.5', 'codex-auto-review'])
  expect(await list('nonsense')).toEqual([])
  expect((await fetch(`${upstream.chatgptBaseUrl}/models`)).status).toBe(403)
})

test('the API side wants an API key and takes no ChatGPT token', async () => {
  const models = async (authorization: string) =>
    await fetch(`${upstream.openaiBaseUrl}/models`, { headers: { authorization } })
  expect((await models('Bearer sk-fake')).status).toBe(200)
  expect((await models('')).status).toBe(401)
  expect((await models('Bearer nothing')).status).toBe(401)
  expect(JSON.stringify(await (await models('Bearer eyJhbGciOi')).json())).toContain('Missing scopes')
})
