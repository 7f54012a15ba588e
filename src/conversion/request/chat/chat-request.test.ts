import { describe, expect, test } from 'vitest'
import { CONTEXT, convertChat, itemsOf, refusalOf } from '../../../../test/support/converted-requests.ts'
import type { ToolCall } from '../../call-key.ts'
import { withoutReasoning } from '../without-reasoning.ts'
import { CHAT_FIELDS } from './chat-fields.ts'
import { convertChatRequest } from './chat-request.ts'

const HELLO = [{ role: 'user', content: 'Hello' }]

test('case 1, 2, 3, 4: upstream always streams, never stores, and gets the text of the client and no other', () => {
  const { request, plan } = convertChat({ store: true })
  expect(request).toEqual({
    model: 'gpt-5.5',
    instructions: '',
    input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }],
    reasoning: { summary: 'auto' },
    prompt_cache_key: expect.any(String),
    include: ['reasoning.encrypted_content'],
    store: false,
    stream: true,
  })
  expect(plan.stream).toBe(false)
})

test('the plan says what the answer side has to know', () => {
  const fields = { stream: true, stream_options: { include_usage: true }, n: 3, stop: ['a', 'b'], user: 'me' }
  expect(convertChat(fields).plan).toEqual({
    model: 'gpt-5.5',
    stream: true,
    includeUsage: true,
    choices: 3,
    stop: ['a', 'b'],
    legacyFunctions: false,
    knowsCustomCalls: false,
    jsonOutput: false,
    showReasoning: true,
    ignored: ['user'],
  })
})

const IGNORED = {
  max_tokens: 5,
  max_completion_tokens: 5,
  temperature: 0.2,
  top_p: 0.5,
  frequency_penalty: 1,
  presence_penalty: 1,
  logit_bias: { '50256': -100 },
  seed: 7,
  user: 'me',
  metadata: { a: 'b' },
  store: true,
  safety_identifier: 'me',
  prediction: { type: 'content', content: 'x' },
  moderation: { model: 'omni-moderation-latest' },
  prompt_cache_retention: '24h',
  prompt_cache_options: { ttl: '30m' },
}

describe('case 5, 6, 7, 11, 14: what upstream refuses is not sent but reported, in strict mode refused', () => {
  test.each(Object.entries(IGNORED))('%s', (name, value) => {
    const { request, plan } = convertChat({ [name]: value })
    expect(plan.ignored).toEqual([name])
    expect(request[name]).toBe(name === 'store' ? false : undefined)
    const refusal = refusalOf(() => convertChat({ [name]: value }, { strict: true }))
    expect(refusal).toMatchObject({ status: 400, code: 'unsupported_parameter', param: name })
    expect(refusal.message).toContain(`'${name}'`)
  })

  test('the list is complete', () => {
    const fields = Object.entries(CHAT_FIELDS).filter(([, { handling }]) => handling === 'ignored')
    expect(fields.map(([name]) => name).toSorted()).toEqual(Object.keys(IGNORED).toSorted())
  })
})

test.each([
  ['logprobs', true],
  ['top_logprobs', 2],
  ['modalities', ['text', 'audio']],
  ['audio', { voice: 'alloy', format: 'wav' }],
])('%s is refused, since an answer without it would be a wrong answer', (name, value) => {
  expect(refusalOf(() => convertChat({ [name]: value }))).toMatchObject({ code: 'unsupported_parameter', param: name })
})

test('a value at the default of the API asks for nothing, also in strict mode', () => {
  const defaults = {
    store: false,
    temperature: 1,
    top_p: 1,
    frequency_penalty: 0,
    presence_penalty: 0,
    n: 1,
    logprobs: false,
    top_logprobs: 0,
    logit_bias: {},
    metadata: {},
    modalities: ['text'],
    service_tier: 'auto',
    parallel_tool_calls: true,
    stream_options: { include_obfuscation: false },
    stop: [],
    response_format: { type: 'text' },
  }
  const { request, plan } = convertChat(defaults, { strict: true })
  expect(plan.ignored).toEqual([])
  expect(request).toEqual(convertChat({}).request)
})

test('case 7, 10: only what the backend knows is sent, and all of that', () => {
  const { request } = convertChat({
    tools: [{ type: 'function', function: { name: 'f' } }],
    parallel_tool_calls: false,
    tool_choice: 'required',
    verbosity: 'low',
    reasoning_effort: 'high',
    prompt_cache_key: 'my-key',
    service_tier: 'priority',
    stream_options: { include_usage: true },
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } },
  })
  expect(Object.keys(request)).toEqual([
    'model',
    'instructions',
    'input',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'reasoning',
    'text',
    'service_tier',
    'prompt_cache_key',
    'include',
    'store',
    'stream',
  ])
})

test('case 9: what would have to be stored upstream is not sent', () => {
  const { request, plan } = convertChat({ previous_response_id: 'resp_1', conversation: 'conv_1', generate: false })
  expect(plan.ignored).toEqual(['previous_response_id', 'conversation', 'generate'])
  expect(request).toEqual(convertChat({}).request)
})

test('case 12: several choices are that many requests, up to eight', () => {
  expect(convertChat({ n: 8 }).plan).toMatchObject({ choices: 8, ignored: [] })
  expect(refusalOf(() => convertChat({ n: 9 }))).toEqual({
    status: 400,
    code: 'integer_above_max_value',
    param: 'n',
    message: "Invalid 'n': integer above maximum value. Expected a value <= 8, but got 9 instead.",
  })
  expect(refusalOf(() => convertChat({ n: 0 })).code).toBe('integer_below_min_value')
  expect(refusalOf(() => convertChat({ n: 1.5 })).code).toBe('invalid_type')
})

test('case 13: stop texts are for the proxy to honour, also in strict mode', () => {
  const { request, plan } = convertChat({ stop: 'END' }, { strict: true })
  expect(plan.stop).toEqual(['END'])
  expect(request.stop).toBeUndefined()
  expect(convertChat({ stop: ['a', '', 'b', 'c'] }).plan.stop).toEqual(['a', 'b', 'c'])
  expect(refusalOf(() => convertChat({ stop: ['1', '2', '3', '4', '5'] }))).toMatchObject({ param: 'stop' })
  expect(refusalOf(() => convertChat({ stop: ['1', 2] }))).toMatchObject({ param: 'stop[1]', code: 'invalid_type' })
  expect(refusalOf(() => convertChat({ stop: 7 }))).toMatchObject({ param: 'stop', code: 'invalid_type' })
})

test.each([
  ['priority', 'priority', []],
  ['fast', 'priority', []],
  ['auto', undefined, []],
  ['default', undefined, []],
  ['flex', undefined, ['service_tier']],
  ['scale', undefined, ['service_tier']],
])('case 15: service tier %s', (tier, sent, ignored) => {
  const { request, plan } = convertChat({ service_tier: tier })
  expect(request.service_tier).toBe(sent)
  expect(plan.ignored).toEqual(ignored)
})

describe('case 16: names that the catalogue knows in part', () => {
  test.each([
    ['gpt-5.5', 'gpt-5.5', undefined],
    ['openai/gpt-5.5', 'gpt-5.5', undefined],
    ['codex/gpt-5.5', 'gpt-5.5', undefined],
    ['gpt-5.5-low', 'gpt-5.5', 'low'],
    ['gpt-5.5:high', 'gpt-5.5', 'high'],
    ['gpt-5.5_medium', 'gpt-5.5', 'medium'],
    ['gpt-5.5(xhigh)', 'gpt-5.5', 'xhigh'],
    ['openai/gpt-5.5-xhigh', 'gpt-5.5', 'xhigh'],
    ['gpt-6-high', 'gpt-6-high', undefined],
    ['gpt-6-high-medium', 'gpt-6-high', 'medium'],
  ])('%s', (name, model, effort) => {
    const { request, plan } = convertChat({ model: name })
    expect(request.model).toBe(model)
    expect(request.reasoning).toEqual({ ...(effort !== undefined && { effort }), summary: 'auto' })
    expect(plan.model).toBe(name)
  })

  test('a given effort wins over the suffix', () => {
    const { request } = convertChat({ model: 'gpt-5.5-low', reasoning_effort: 'high' })
    expect(request.reasoning).toEqual({ effort: 'high', summary: 'auto' })
  })

  test('-fast is the priority tier, also together with an effort', () => {
    expect(convertChat({ model: 'gpt-5.5-high-fast' }).request).toMatchObject({
      model: 'gpt-5.5',
      service_tier: 'priority',
      reasoning: { effort: 'high' },
    })
    expect(convertChat({ model: 'gpt-5.5-fast', service_tier: 'default' }).request.service_tier).toBeUndefined()
  })
})

test.each(['gpt-9', 'gpt-9-high', 'openai/gpt-9', 'other/gpt-5.5', `${'gpt-5.5'}${'-low'.repeat(100)}`])(
  'case 17: the unknown model %s is for upstream to judge',
  (model) => {
    expect(convertChat({ model }).request.model).toBe(model)
  },
)

test('case 17: without a catalogue every name passes', () => {
  const { request } = convertChat({ model: 'openai/gpt-5.5-low' }, { catalogue: [] })
  expect(request.model).toBe('openai/gpt-5.5-low')
})

test('case 18, 19: a body of another API is refused with a word on where it belongs', () => {
  const convert = (body: unknown) => refusalOf(() => convertChatRequest(body, CONTEXT))
  expect(convert({ model: 'gpt-5.5', input: 'Hello' })).toMatchObject({
    param: 'messages',
    message: expect.stringContaining('/v1/responses'),
  })
  expect(convert({ model: 'gpt-5.5', prompt: 'Hello' })).toMatchObject({
    param: 'messages',
    code: 'missing_required_parameter',
  })
  expect(convertChat({ input: 'Hello' }).plan.ignored).toEqual(['input'])
  for (const body of [null, 7, 'text', [], [HELLO]]) {
    expect(convert(body)).toMatchObject({ status: 400, code: 'invalid_type', param: null })
  }
})

test('case 23: fields that are not of the API are reported, in strict mode refused', () => {
  const fields = { reasoningEffort: 'low', top_k: 5, promptCacheKey: 'x' }
  expect(convertChat(fields).plan.ignored).toEqual(['reasoningEffort', 'top_k', 'promptCacheKey'])
  expect(refusalOf(() => convertChat({ top_k: 5 }, { strict: true }))).toMatchObject({
    code: 'unsupported_parameter',
    param: 'top_k',
  })
})

test('names of unknown fields are fit for a header', () => {
  const fields = Object.fromEntries([
    ['a\r\nset-cookie: x', 1],
    ['ü,b', 1],
    ['x'.repeat(500), 1],
    ['__proto__', 1],
  ])
  const body = JSON.parse(`{"__proto__":1,${JSON.stringify(fields).slice(1)}`)
  const { ignored } = convertChat(body).plan
  expect(ignored).toEqual(['__proto__', 'a??set-cookie:?x', '??b', 'x'.repeat(64)])
  expect(refusalOf(() => convertChat({ ['x'.repeat(500)]: 1 }, { strict: true })).param).toBe('x'.repeat(64))
})

test('of more names than a header holds the number is told', () => {
  const ignored = (length: number) =>
    convertChat(Object.fromEntries(Array.from({ length }, (_, index) => [`field${index}`, 1]))).plan.ignored
  expect(ignored(32).at(-1)).toBe('field31')
  expect(ignored(100).slice(-2)).toEqual(['field31', 'and-68-more'])
})

test('case 24: null means absent for every optional field', () => {
  const { model: _model, messages: _messages, ...optional } = CHAT_FIELDS
  const nulls = Object.fromEntries(Object.keys(optional).map((name) => [name, null]))
  expect(convertChat({ ...nulls, unknown: null }, { strict: true })).toEqual(convertChat({}))
  const reasoning = { effort: 'low', exclude: null }
  expect(convertChat({ reasoning }, { strict: true })).toEqual(convertChat({ reasoning: { effort: 'low' } }))
})

test('case 25: stream options without a stream ask for nothing', () => {
  const { plan } = convertChat({ stream_options: { include_usage: true } })
  expect(plan).toMatchObject({ stream: false, ignored: [] })
})

test('stream options that cannot be had are reported by their path', () => {
  const options = { include_obfuscation: true, include_usage: true, other: 1 }
  expect(convertChat({ stream: true, stream_options: options }).plan.ignored).toEqual([
    'stream_options.other',
    'stream_options.include_obfuscation',
  ])
})

test('usage is in a stream only if it is asked for', () => {
  const includesUsage = (stream_options: object) => convertChat({ stream: true, stream_options }).plan.includeUsage
  expect([{}, { include_usage: false }, { include_usage: true }].map(includesUsage)).toEqual([false, false, true])
})

test.each([
  ['model', 7],
  ['messages', {}],
  ['tools', {}],
  ['tools', [7]],
  ['functions', 'x'],
  ['tool_choice', 7],
  ['function_call', 7],
  ['parallel_tool_calls', 'yes'],
  ['web_search_options', 'yes'],
  ['response_format', 'json'],
  ['text', 'x'],
  ['verbosity', 1],
  ['reasoning_effort', 3],
  ['reasoning', 'high'],
  ['service_tier', 1],
  ['prompt_cache_key', 5],
  ['stream', 'true'],
  ['stream_options', []],
  ['temperature', 'hot'],
  ['max_tokens', 1.5],
  ['max_completion_tokens', '5'],
  ['logit_bias', []],
  ['metadata', 'x'],
  ['store', 'no'],
  ['user', 5],
  ['logprobs', 'yes'],
  ['modalities', 'audio'],
])('%s of a wrong type is a 400 that names it', (name, value) => {
  const refusal = refusalOf(() => convertChat({ [name]: value }))
  expect(refusal).toMatchObject({ status: 400, code: 'invalid_type' })
  expect(refusal.param).toMatch(new RegExp(`^${name}(\\[0\\])?$`))
  expect(refusal.message).toMatch(/^Invalid type for '[^']+': expected .+, but got .+ instead\.$/)
})

test('an empty name of a model is none', () => {
  const refusal = { param: 'model', code: 'missing_required_parameter' }
  expect(refusalOf(() => convertChat({ model: '' }))).toMatchObject(refusal)
})

describe('case 101–105: reasoning', () => {
  test('case 101: the effort is taken in either form', () => {
    expect(convertChat({ reasoning_effort: 'high' }).request.reasoning).toEqual({ effort: 'high', summary: 'auto' })
    const reasoning = { effort: 'low', summary: 'detailed', exclude: true }
    const { request, plan } = convertChat({ reasoning })
    expect(request.reasoning).toEqual({ effort: 'low', summary: 'detailed' })
    expect(plan.ignored).toEqual(['reasoning.exclude'])
  })

  test('two different efforts: the one of Chat counts, the other is reported', () => {
    const { request, plan } = convertChat({ reasoning_effort: 'high', reasoning: { effort: 'low' } })
    expect(request.reasoning).toEqual({ effort: 'high', summary: 'auto' })
    expect(plan.ignored).toEqual(['reasoning.effort'])
  })

  test('case 102: no effort is made up', () => {
    expect(convertChat({}).request.reasoning).toEqual({ summary: 'auto' })
    expect(convertChat({}, { reasoningSummary: false }).request.reasoning).toBeUndefined()
  })

  test.each([
    ['gpt-5.5', 'minimal', 'low'],
    ['gpt-5.5', 'none', 'low'],
    ['gpt-5.5', 'max', 'xhigh'],
    ['gpt-5.5', 'ultra', 'xhigh'],
    ['gpt-6-high', 'low', 'medium'],
    ['gpt-6-high', 'xhigh', 'high'],
  ])('case 103: for %s the effort %s becomes %s and is reported', (model, effort, sent) => {
    const { request, plan } = convertChat({ model, reasoning_effort: effort })
    expect(request.reasoning).toMatchObject({ effort: sent })
    expect(plan.ignored).toEqual(['reasoning_effort'])
    expect(refusalOf(() => convertChat({ model, reasoning_effort: effort }, { strict: true }))).toMatchObject({
      code: 'unsupported_parameter',
      param: 'reasoning_effort',
    })
  })

  test('case 103: of two levels that are equally near the lower counts', () => {
    const catalogue = [{ id: 'gpt-6-two', efforts: ['high', 'low'], usesResponsesLite: false, takesSummary: true }]
    const { request } = convertChat({ model: 'gpt-6-two', reasoning_effort: 'medium' }, { catalogue })
    expect(request.reasoning).toMatchObject({ effort: 'low' })
  })

  test.each([
    [['low', 'turbo'], 'turbo', 'turbo', []],
    [['turbo', 'low'], 'none', 'low', ['reasoning_effort']],
    [['none', 'high'], 'minimal', 'none', ['reasoning_effort']],
    [['turbo'], 'high', 'high', []],
  ])('case 103: of %j, some of which only the catalogue knows, %s becomes %s', (efforts, asked, sent, ignored) => {
    const catalogue = [{ id: 'gpt-7', efforts, usesResponsesLite: false, takesSummary: true }]
    const { request, plan } = convertChat({ model: 'gpt-7', reasoning_effort: asked }, { catalogue })
    expect(request.reasoning).toMatchObject({ effort: sent })
    expect(plan.ignored).toEqual(ignored)
  })

  test('case 103: a suffix that is not listed is clamped too', () => {
    const { request, plan } = convertChat({ model: 'gpt-5.5-minimal' })
    expect(request).toMatchObject({ model: 'gpt-5.5', reasoning: { effort: 'low' } })
    expect(plan.ignored).toEqual(['model'])
  })

  test('case 11, 103: in strict mode such a suffix is refused, with advice that can be followed', () => {
    const strict = () => convertChat({ model: 'gpt-5.5-minimal' }, { strict: true })
    // A request without a model is refused too.
    expect(strict).toThrow(expect.objectContaining({ param: 'model', remedy: expect.stringContaining('or the value') }))
  })

  test('case 103: ultra is called max on the wire', () => {
    const { request, plan } = convertChat({ model: 'gpt-6.1-sol', reasoning_effort: 'ultra' })
    expect(request.reasoning).toMatchObject({ effort: 'max' })
    expect(plan.ignored).toEqual([])
  })

  test('case 103: a model that the catalogue does not know gets the effort as it is', () => {
    const { request } = convertChat({ model: 'gpt-9', reasoning_effort: 'minimal' })
    expect(request.reasoning).toMatchObject({ effort: 'minimal' })
    expect(refusalOf(() => convertChat({ model: 'gpt-9', reasoning_effort: 'much' }))).toMatchObject({
      code: 'invalid_value',
      param: 'reasoning_effort',
    })
  })

  test('case 104: a summary is asked for unless there is no reasoning or the setting says no', () => {
    const none = convertChat({ model: 'gpt-9', reasoning_effort: 'none' })
    expect(none.request.reasoning).toEqual({ effort: 'none' })
    expect(none.plan.showReasoning).toBe(false)
    const off = convertChat({ reasoning_effort: 'high' }, { reasoningSummary: false })
    expect(off.request.reasoning).toEqual({ effort: 'high' })
    expect(off.plan.showReasoning).toBe(false)
  })

  test('case 105: encrypted reasoning is always asked for', () => {
    expect(convertChat({}).request.include).toEqual(['reasoning.encrypted_content'])
  })
})

describe('case 106, 108–111: reasoning put back', () => {
  const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
  const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'ok' })
  const history = [
    ...HELLO,
    { role: 'assistant', content: 'Let me see.', tool_calls: [call('a'), call('b')] },
    result('a'),
    result('b'),
    { role: 'assistant', tool_calls: [call('c')] },
    result('c'),
  ]
  const thought = (id: string) => ({
    type: 'reasoning',
    id,
    summary: [{ type: 'summary_text', text: 'Hm.' }],
    content: [{ type: 'reasoning_text', text: 'raw' }],
    status: 'completed',
    encrypted_content: `secret of ${id}`,
  })
  const memory: Record<string, object[]> = {
    a: [thought('rs_1'), thought('rs_2')],
    b: [thought('rs_2')],
    c: [thought('rs_3')],
  }
  const recallReasoning = ({ callId }: ToolCall) => memory[callId] as never

  test('case 106, 111: right before the call it led to, once for parallel calls', () => {
    const items = itemsOf(history, {}, { recallReasoning })
    expect(items.map((item) => item.id ?? item.call_id ?? item.role)).toEqual([
      'user',
      'assistant',
      'rs_1',
      'rs_2',
      'a',
      'b',
      'a',
      'b',
      'rs_3',
      'c',
      'c',
    ])
  })

  test('case 106: it is asked for by the whole call, since ids may come again', () => {
    const asked: ToolCall[] = []
    const recalled = (one: ToolCall) => {
      asked.push(one)
      return undefined
    }
    const messages = [...HELLO, { role: 'assistant', tool_calls: [call('a')] }, result('a')]
    itemsOf(messages, {}, { recallReasoning: recalled })
    expect(asked).toEqual([{ callId: 'a', name: 'f', text: '{}' }])
  })

  test('case 106: of two answers that a client joined in one message, each before its own call', () => {
    const place = { type: 'message' }
    const joined = { a: [thought('rs_1'), place, thought('rs_2')], b: [thought('rs_3'), place, thought('rs_4')] }
    const messages = [
      ...HELLO,
      { role: 'assistant', content: 'Let me see.', tool_calls: [call('a'), call('b')] },
      result('a'),
      result('b'),
    ]
    const items = itemsOf(messages, {}, { recallReasoning: ({ callId }) => joined[callId as 'a' | 'b'] })
    const order = items.map((item) => item.id ?? item.call_id ?? item.role).slice(1, -2)
    expect(order).toEqual(['rs_1', 'assistant', 'rs_2', 'a', 'rs_3', 'rs_4', 'b'])
  })

  test('case 108: with its encrypted content and its summary, but without its text', () => {
    const items = itemsOf(history, {}, { recallReasoning })
    expect(items[2]).toEqual({
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: 'Hm.' }],
      encrypted_content: 'secret of rs_1',
    })
  })

  test('case 203: without an id that upstream has made longer than it takes', () => {
    const long = { ...thought('rs_1'), id: `rs_${'0'.repeat(413)}` }
    const [, , reasoning] = itemsOf(history, {}, { recallReasoning: () => [long] })
    expect(reasoning).toMatchObject({ type: 'reasoning', encrypted_content: 'secret of rs_1' })
    expect(reasoning).not.toHaveProperty('id')
  })

  test('case 109: what has no encrypted content is left out', () => {
    const bare = [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: null }]
    const items = itemsOf(history, {}, { recallReasoning: () => bare })
    expect(items.filter(({ type }) => type === 'reasoning')).toEqual([])
  })

  test('case 110: the request can be sent once more without it', () => {
    const { request } = convertChat({ messages: history }, { recallReasoning })
    const plain = convertChat({ messages: history }).request
    expect(withoutReasoning(request)).toEqual(plain)
    expect(withoutReasoning(plain)).toBe(plain)
  })
})

describe('case 181, 182, 184: the prompt cache', () => {
  const imageOf = (name: string) => ({ type: 'image_url', image_url: { url: `https://example.com/${name}.png` } })
  const key = (fields: object) => convertChat(fields).request.prompt_cache_key

  test('case 181: a key of the client passes', () => {
    expect(key({ prompt_cache_key: 'my key' })).toBe('my key')
  })

  test('case 182: a derived key stays the same while the conversation grows', () => {
    const first = { messages: [{ role: 'system', content: 'S' }, ...HELLO] }
    const later = {
      messages: [...first.messages, { role: 'assistant', content: 'Hi' }, { role: 'user', content: 'And?' }],
    }
    expect(key(later)).toBe(key(first))
    expect(key(first)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('case 182: different conversations have different keys', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }]
    const keys = [
      key({}),
      key({ model: 'gpt-9' }),
      key({ tools }),
      key({ tools: [{ type: 'function', function: { name: 'g' } }] }),
      key({ messages: [{ role: 'user', content: 'Bye' }] }),
      key({ messages: [{ role: 'system', content: 'S' }, ...HELLO] }),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  test.each<[string, (text: string) => object]>([
    [
      'a system text that JSON mode leaves in input',
      (text) => ({
        messages: [{ role: 'system', content: `${text} json` }, ...HELLO],
        response_format: { type: 'json_object' },
      }),
    ],
    ['the image beside a text', (text) => ({ messages: [{ role: 'user', content: ['See', imageOf(text)] }] })],
    [
      'a system text with an image',
      (text) => ({ messages: [{ role: 'system', content: [text, imageOf('x')] }, ...HELLO] }),
    ],
    [
      'a system text with an image, without a user',
      (text) => ({ messages: [{ role: 'system', content: [text, imageOf('x')] }] }),
    ],
    ['the greeting before the user', (text) => ({ messages: [{ role: 'assistant', content: text }, ...HELLO] })],
  ])('case 182: %s tells conversations apart, and stays while they grow', (_what, fields) => {
    const grown = (text: string) => {
      const { messages, ...rest } = fields(text) as { messages: object[] }
      const more = [
        { role: 'assistant', content: 'Hi' },
        { role: 'user', content: 'And?' },
      ]
      const hasUser = messages.some((message) => (message as { role: string }).role === 'user')
      return { ...rest, messages: [...messages, ...(hasUser ? more : more.slice(0, 1))] }
    }
    expect(key(fields('A'))).not.toBe(key(fields('B')))
    expect(key(grown('A'))).toBe(key(fields('A')))
  })

  test('case 182: reasoning that is put back or not changes no key', () => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
    const messages = [
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content: 'ok' },
      ...HELLO,
    ]
    const thought = [{ type: 'reasoning', summary: [], encrypted_content: 'secret' }]
    const recalling = convertChat({ messages }, { recallReasoning: () => thought }).request
    expect(recalling.input.map(({ type }) => type)).toContain('reasoning')
    expect(recalling.prompt_cache_key).toBe(key({ messages }))
  })

  test('case 184: the order of the client’s keys does not matter', () => {
    const { request } = convertChat({
      messages: [{ content: 'Hello', name: 'x', role: 'user' }],
      verbosity: 'low',
      n: 1,
    })
    const other = convertChatRequest(
      {
        n: 1,
        verbosity: 'low',
        messages: [{ role: 'user', content: [{ text: 'Hello', type: 'text' }] }],
        model: 'gpt-5.5',
      },
      CONTEXT,
    )
    expect(JSON.stringify(other.request)).toBe(JSON.stringify(request))
  })
})
