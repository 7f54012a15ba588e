import { describe, expect, test } from 'vitest'
import { convertResponses, refusalOf } from '../../../../test/support/converted-requests.ts'
import type { EarlierConversation } from './responses-request.ts'

const HELLO = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }

function convert(fields: object, strict = false, memory: Record<string, EarlierConversation> = {}) {
  const recallConversation = (id: string) => memory[id]
  return convertResponses({ model: 'gpt-5.5', input: [HELLO], ...fields }, { strict, recallConversation })
}
const inputOf = (...input: unknown[]) => convert({ input }).request.input

test('a plain request gets what upstream wants', () => {
  expect(convert({})).toEqual({
    request: {
      model: 'gpt-5.5',
      instructions: '',
      input: [HELLO],
      prompt_cache_key: expect.stringMatching(/^[0-9a-f-]{36}$/),
      include: ['reasoning.encrypted_content'],
      store: false,
      stream: true,
    },
    stream: false,
    stores: true,
    previousId: undefined,
    added: [HELLO],
    ignored: [],
    lite: false,
  })
})

test('case 1, 205: the stream is the client’s choice, upstream always streams', () => {
  expect(convert({ stream: true })).toMatchObject({ stream: true, request: { stream: true } })
  expect(convert({ stream: null })).toMatchObject({ stream: false, request: { stream: true } })
})

test('case 2, 205: an explicit store is reported', () => {
  expect(convert({ store: true })).toMatchObject({ ignored: ['store'], request: { store: false } })
  expect(convert({ store: false }, true).ignored).toEqual([])
  expect(refusalOf(() => convert({ store: true }, true))).toMatchObject({
    code: 'unsupported_parameter',
    param: 'store',
  })
})

test('case 3: instructions are always a text', () => {
  expect(convert({ instructions: null }).request.instructions).toBe('')
  expect(convert({ instructions: 'Be brief.' }).request.instructions).toBe('Be brief.')
})

test('case 10: everything the backend knows passes', () => {
  const fields = {
    tools: [{ type: 'function', name: 'f', parameters: {}, strict: true }],
    tool_choice: { type: 'function', name: 'f' },
    parallel_tool_calls: false,
    reasoning: { effort: 'high', summary: 'detailed', context: 'all_turns' },
    text: { format: { type: 'json_object' }, verbosity: 'low' },
    service_tier: 'priority',
    prompt_cache_key: 'my-key',
    client_metadata: { session_id: 'x' },
    access_programs: { cyber: 'daybreak_blue' },
    stream_options: { reasoning_summary_delivery: 'sequential' },
  }
  const { request, ignored } = convert({ ...fields, include: ['message.output_text.logprobs'] }, true)
  expect(request).toMatchObject(fields)
  expect(request.include).toEqual(['message.output_text.logprobs', 'reasoning.encrypted_content'])
  expect(ignored).toEqual([])
})

describe('case 181, 182: without a prompt_cache_key it is derived', () => {
  const keyOf = (fields: object) => convert(fields).request.prompt_cache_key
  const INPUT = [{ role: 'developer', content: 'Be brief.' }, HELLO]
  const key = keyOf({ input: INPUT })

  test('the same however long the conversation gets', () => {
    const answer = { role: 'assistant', content: 'Hi' }
    const call = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' }
    const result = { type: 'function_call_output', call_id: 'call_1', output: '' }
    expect(keyOf({ input: [...INPUT, answer, call, result, HELLO] })).toBe(key)
    expect(keyOf({ input: INPUT, prompt_cache_key: '' })).toBe(key)
    expect(keyOf({ input: 'Hello' })).toBe(keyOf({ input: [HELLO] }))
  })

  test.each<[string, object]>([
    ['another model', { model: 'gpt-5.4' }],
    ['other instructions', { instructions: 'Be long.' }],
    ['other tools', { tools: [{ type: 'function', name: 'f', parameters: {} }] }],
    ['another system message', { input: [{ role: 'developer', content: 'Be long.' }, HELLO] }],
    ['another first message', { input: [INPUT[0], { role: 'user', content: 'Bye' }] }],
  ])('another for %s', (_, fields) => {
    expect(keyOf({ input: INPUT, ...fields })).not.toBe(key)
  })

  test('not on the Lite lane, whose bodies stay untouched', () => {
    const input = [{ type: 'additional_tools', tools: [] }, HELLO]
    expect(convert({ input }).request).not.toHaveProperty('prompt_cache_key')
  })
})

const REFUSED_UPSTREAM = {
  max_output_tokens: 5,
  temperature: 0.5,
  top_p: 0.5,
  top_logprobs: 3,
  truncation: 'auto',
  metadata: { a: 'b' },
  user: 'me',
  safety_identifier: 'me',
  prompt_cache_retention: '24h',
  prompt_cache_options: { ttl: '30m' },
  background: true,
  max_tool_calls: 3,
  presence_penalty: 1,
  frequency_penalty: 1,
  seed: 1,
  moderation: { model: 'x' },
  context_management: [{ type: 'compaction' }],
  stream_id: 'x',
  generate: false,
  something_new: 1,
}

describe('case 5, 6, 7, 11: what upstream refuses is reported, in strict mode refused', () => {
  test.each(Object.entries(REFUSED_UPSTREAM))('%s', (name, value) => {
    const { request, ignored } = convert({ [name]: value })
    expect(ignored).toEqual([name])
    expect(request).toEqual(convert({}).request)
    expect(refusalOf(() => convert({ [name]: value }, true))).toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      param: name,
    })
  })

  test('values at the default of the API ask for nothing', () => {
    const defaults = { temperature: 1, top_p: 1, truncation: 'disabled', background: false, metadata: {}, user: null }
    expect(convert({ ...defaults, store: false, service_tier: 'auto' }, true).ignored).toEqual([])
  })

  test('service tiers and stream options are as on the Chat route', () => {
    expect(convert({ service_tier: 'fast' }).request.service_tier).toBe('priority')
    expect(convert({ service_tier: 'flex' }).ignored).toEqual(['service_tier'])
    const { request, ignored } = convert({ stream_options: { include_obfuscation: true, other: 1 } })
    expect(request.stream_options).toBeUndefined()
    expect(ignored).toEqual(['stream_options.other', 'stream_options.include_obfuscation'])
  })
})

test.each(['conversation', 'prompt'])(
  'case 9, 206: %s is refused, since the answer would be to another question',
  (name) => {
    const refusal = refusalOf(() => convert({ [name]: 'x_1' }))
    expect(refusal).toMatchObject({ status: 400, code: 'unsupported_parameter', param: name })
    expect(refusal.message).toContain('ChatGPT backend')
    expect(convert({ [name]: null }).ignored).toEqual([])
  },
)

describe('case 206: previous_response_id', () => {
  const ANSWER = { type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] }
  const GO_ON = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Go on.' }] }
  const goOn = (fields: object = {}) =>
    convert({ previous_response_id: 'resp_1', input: 'Go on.', ...fields }, true, {
      resp_1: { items: [HELLO, ANSWER], promptCacheKey: 'its-key' },
    })

  test('what was said up to that answer stands before the input, as upstream takes it', () => {
    const { request, previousId, added, ignored } = goOn()
    expect(request.input).toEqual([HELLO, { ...ANSWER, id: undefined }, GO_ON])
    expect(request).not.toHaveProperty('previous_response_id')
    expect({ previousId, added, ignored }).toEqual({ previousId: 'resp_1', added: [GO_ON], ignored: [] })
  })

  test('case 181: the key of the prompt cache stays, unless the client has one', () => {
    expect(goOn().request.prompt_cache_key).toBe('its-key')
    expect(goOn({ prompt_cache_key: 'mine' }).request.prompt_cache_key).toBe('mine')
  })

  test('a fault of the input is named where the client wrote it', () => {
    expect(refusalOf(() => goOn({ input: [{ role: 'nobody' }] })).param).toBe('input[0].role')
  })

  test('one that is not remembered is refused as the API does, never dropped', () => {
    const refusal = refusalOf(() => convert({ previous_response_id: 'resp_2' }))
    expect(refusal).toMatchObject({ status: 400, code: 'previous_response_not_found', param: 'previous_response_id' })
    expect(refusal.message).toMatch(/previous response\b.*\bnot found/i)
    expect(refusalOf(() => convert({ previous_response_id: 1 }))).toMatchObject({ code: 'invalid_type' })
    expect(convert({ previous_response_id: null }).previousId).toBeUndefined()
  })

  test('on the Lite lane the conversation stands before the items, which stay untouched', () => {
    const items = [
      { type: 'additional_tools', tools: [] },
      { ...GO_ON, id: 'msg_2' },
    ]
    const { request } = goOn({ input: items })
    expect(request.input).toEqual([HELLO, { ...ANSWER, id: undefined }, ...items])
    expect(request).not.toHaveProperty('previous_response_id')
  })

  test('a call keeps its namespace if this request has tools in namespaces', () => {
    const call = { type: 'function_call', call_id: 'call_1', name: 'f', namespace: 'n', arguments: '{}' }
    const inputWith = (tools: object[]) =>
      convert({ previous_response_id: 'resp_1', tools }, false, {
        resp_1: { items: [call], promptCacheKey: 'its-key' },
      }).request.input
    expect(inputWith([{ type: 'namespace', name: 'n', tools: [] }])).toEqual([call, HELLO])
    expect(inputWith([])).toEqual([{ ...call, namespace: undefined }, HELLO])
  })
})

describe('input', () => {
  test('case 201: a text is a message of the user', () => {
    expect(convert({ input: 'Hello' }).request.input).toEqual([HELLO])
  })

  test('case 201: messages may leave out their type and write their content as text', () => {
    expect(inputOf({ role: 'user', content: 'Hello' }, { role: 'assistant', content: 'Hi' })).toEqual([
      HELLO,
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] },
    ])
  })

  test('case 26, 202: system messages are developer messages, in place', () => {
    expect(inputOf(HELLO, { role: 'system', content: 'Be brief.' })[1]).toEqual({
      type: 'message',
      role: 'developer',
      content: [{ type: 'input_text', text: 'Be brief.' }],
    })
  })

  test('case 203: ids of what upstream has not stored are dropped', () => {
    const items = inputOf(
      { ...HELLO, id: 'msg_1' },
      { type: 'function_call', id: 'x', call_id: 'a', name: 'f', arguments: '{}' },
      { type: 'function_call_output', id: null, call_id: 'a', output: 'ok' },
      { type: 'custom_tool_call', id: 'ctc_1', call_id: 'b', name: 'g', input: '' },
      { type: 'custom_tool_call_output', id: 'x', call_id: 'b', output: 'ok' },
    )
    expect(items.map(({ id }) => id)).toEqual([undefined, undefined, undefined, undefined, undefined])
    expect(items.map(({ call_id }) => call_id)).toEqual([undefined, 'a', 'a', 'b', 'b'])
  })

  test('case 203: what keeps its id loses one that upstream would refuse', () => {
    const reasoning = { type: 'reasoning', summary: [], encrypted_content: 'x' }
    const search = { type: 'web_search_call', status: 'completed' }
    const image = { type: 'image_generation_call', status: 'completed', result: 'aGk=' }
    const longest = `rs_${'0'.repeat(61)}`
    const ids = (item: object, ...given: string[]) =>
      inputOf(...given.map((id) => ({ ...item, id }))).map(({ id }) => id)
    expect(ids(reasoning, longest, `${longest}0`, 'thinking_0', 'rs:1', '')).toEqual([longest, ...Array(4)])
    expect(ids(search, 'ws_1', longest, `${longest}0`, '')).toEqual(['ws_1', longest, undefined, undefined])
    expect(ids(image, 'ig_1', `${longest}0`)).toEqual(['ig_1', undefined])
  })

  test('case 203: what comes twice goes once, and another item of its id goes without it', () => {
    const image = { type: 'image_generation_call', id: 'ig_1', status: 'completed', result: 'aGk=' }
    const other = { ...image, result: 'b3RoZXI=' }
    const { id: _, ...otherWithout } = other
    expect(inputOf(image, HELLO, image, other, HELLO)).toEqual([image, HELLO, otherWithout, HELLO])
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' }
    const earlier = {
      items: [reasoning, { type: 'message', role: 'assistant', content: 'Hi' }],
      promptCacheKey: undefined,
    }
    const fields = { previous_response_id: 'resp_1', input: [reasoning, HELLO] }
    const { request } = convert(fields, false, { resp_1: earlier })
    expect(request.input.map(({ type }) => type)).toEqual(['reasoning', 'message', 'message'])
  })

  test('a call without a call id is left for upstream to refuse', () => {
    const call = { type: 'function_call', name: 'f', arguments: '{}' }
    expect(inputOf(call)).toEqual([call])
  })

  test.each([
    ['81: a long', 'x'.repeat(80)],
    ['77: an empty', ''],
  ])('case %s call id becomes one that upstream takes, alike on both sides', (_what, call_id) => {
    const [call, output] = inputOf(
      { type: 'function_call', call_id, name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id, output: 'ok' },
    )
    expect(call?.call_id).toMatch(/^call_[0-9a-f]{40}$/)
    expect(output?.call_id).toBe(call?.call_id)
  })

  test('case 8, 204: unknown keys of messages and cache hints are dropped', () => {
    const part = { type: 'input_text', text: 'Hello', cache_control: {}, prompt_cache_breakpoint: {} }
    expect(inputOf({ ...HELLO, name: 'Ann', status: 'completed', content: [part] })).toEqual([HELLO])
    const output = [{ type: 'input_text', text: 'ok', cache_control: {} }, 'text']
    expect(inputOf({ type: 'function_call_output', call_id: 'a', output })[0]?.output).toEqual([
      { type: 'input_text', text: 'ok' },
      'text',
    ])
    const call = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' }
    const search = { type: 'web_search_call', status: 'completed' }
    const hints = { cache_control: {}, prompt_cache_breakpoint: {} }
    expect(inputOf({ ...call, ...hints }, { ...search, ...hints })).toEqual([call, search])
  })

  test('what is no tool within a namespace stays, for upstream to refuse', () => {
    const tools = [{ type: 'namespace', name: 'n', tools: ['f', null, { type: 'web_search_preview' }] }]
    expect(convertResponses({ model: 'm', input: 'Hello', tools }).request.tools).toEqual([
      { type: 'namespace', name: 'n', tools: ['f', null, { type: 'web_search' }] },
    ])
  })

  test('case 8: cache hints of tools are dropped, also within a namespace', () => {
    const tool = { type: 'function', name: 'f', parameters: {} }
    const namespace = { type: 'namespace', name: 'n', tools: [{ ...tool, cache_control: {} }] }
    const { request } = convertResponses({ model: 'm', input: 'Hi', tools: [namespace] })
    expect(request.tools).toEqual([{ type: 'namespace', name: 'n', tools: [tool] }])
  })

  test('a tool within many namespaces is looked at no more often than within one', () => {
    const looksAt = (depth: number) => {
      let looks = 0
      const counted = { get: (tool: object, key: string) => ++looks && Reflect.get(tool, key) }
      let tool: object = new Proxy({ type: 'function', name: 'f', parameters: {} }, counted)
      for (let within = 0; within < depth; within++) tool = { type: 'namespace', name: 'n', tools: [tool] }
      convertResponses({ model: 'm', input: 'Hi', tools: [tool] })
      return looks
    }
    expect(looksAt(100)).toBe(looksAt(1))
  })

  test('case 8: cache hints are dropped however deep they are, but not from what holds data of the client', () => {
    const hints = { cache_control: 1, prompt_cache_breakpoint: {} }
    const parameters = { type: 'object', properties: hints }
    const itemsWith = (extra: object) => [
      {
        type: 'message',
        role: 'user',
        content: [{ type: 'input_file', file: { file_id: 'f', ...extra }, filename: 'cache_control' }],
      },
      { type: 'tool_search_call', arguments: hints, metadata: hints, ...extra },
      { type: 'local_shell_call', call_id: 'a', action: { type: 'exec', command: ['ls'], env: hints, ...extra } },
      { type: 'tool_search_output', tools: [{ type: 'function', name: 'f', parameters, ...extra }] },
      { type: 'mcp_list_tools', tools: [{ name: 'f', input_schema: parameters, annotations: extra }] },
      { type: 'reasoning', summary: [{ type: 'summary_text', text: '', ...extra }], encrypted_content: 'x' },
      { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_file', file: extra }] },
    ]
    expect(inputOf(...itemsWith(hints))).toEqual(itemsWith({}))
    const toolsWith = (extra: object) => [
      { type: 'mcp', server_label: 's', headers: hints, allowed_tools: { tool_names: ['a'], ...extra } },
      { type: 'function', name: 'f', parameters, output_schema: parameters, ...extra },
    ]
    const { request } = convertResponses({ model: 'm', input: 'Hi', tools: toolsWith(hints) })
    expect(request.tools).toEqual(toolsWith({}))
  })

  test('case 120: phase and the pass-through data of Codex are kept', () => {
    const item = {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
      phase: 'commentary',
      internal_chat_message_metadata_passthrough: { a: 1 },
    }
    expect(inputOf(item)).toEqual([item])
  })

  test('case 204: what the helpers of the official clients add, and fields they name without a value, are dropped', () => {
    const part = { type: 'output_text', text: '{}', annotations: [] }
    const call = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' }
    const items = inputOf(
      { type: 'message', role: 'assistant', content: [{ ...part, logprobs: null, parsed: {} }], phase: null },
      { ...call, parsed_arguments: {}, caller: null, status: null },
    )
    expect(items).toEqual([{ type: 'message', role: 'assistant', content: [part] }, call])
  })

  test('case 204: items of other types pass untouched', () => {
    const kept = [
      { type: 'compaction', id: 'c_1', encrypted_content: 'x' },
      { type: 'compaction_trigger' },
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: {} },
      { type: 'something_new', id: 'x', namespace: 'y' },
    ]
    expect(inputOf(...kept)).toEqual(kept)
  })

  const question = { role: 'user', content: 'Hi' }
  const reference = { type: 'item_reference', id: 'msg_1' }

  test('case 89: an item of an earlier answer that is named by its id takes its place, as if it had been sent', () => {
    const said = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [] }
    const recallItem = (id: string) => (id === 'msg_1' ? said : undefined)
    const body = { model: 'm', input: [question, reference, question] }
    const { request, ignored } = convertResponses(body, { strict: true, recallItem })
    expect(request.input[1]).toEqual({ type: 'message', role: 'assistant', content: [] })
    expect([request.input.length, ignored]).toEqual([3, []])
  })

  test('case 89: one that is not known is dropped, which is told, or refused by --strict', () => {
    const { request, ignored } = convert({ input: [HELLO, reference] })
    expect([request.input, ignored]).toEqual([[HELLO], ['input[1]']])
    expect(refusalOf(() => convert({ input: [HELLO, reference] }, true))).toMatchObject({
      code: 'unsupported_parameter',
      param: 'input[1]',
      message: expect.stringContaining('store: false'),
    })
  })

  test.each([{ id: 'msg_1' }, { id: 'msg_1', type: null }])(
    'case 89: %j is a reference too, as the API has it',
    (named) => {
      const { request, ignored } = convert({ input: [HELLO, named] })
      expect([request.input, ignored]).toEqual([[HELLO], ['input[1]']])
    },
  )

  test('a message without a role is no reference', () => {
    const refusal = { code: 'missing_required_parameter', param: 'input[0].role' }
    expect(refusalOf(() => inputOf({ id: 'msg_1', content: 'Hi' }))).toMatchObject(refusal)
    expect(refusalOf(() => inputOf({}))).toMatchObject(refusal)
  })

  test('a reference without an id is a mistake', () => {
    const refusal = { code: 'missing_required_parameter', param: 'input[0].id' }
    expect(refusalOf(() => inputOf({ type: 'item_reference' }))).toMatchObject(refusal)
  })

  test.each([
    [{}, true],
    [{ store: true }, true],
    [{ store: false }, false],
    [{ input: [{ type: 'additional_tools', tools: [] }] }, false],
  ])('a client that sends %j counts on stored items: %j', (fields, stores) => {
    expect(convert(fields).stores).toBe(stores)
  })

  test('case 90: namespace on replayed calls is dropped, unless the request has tools in namespaces', () => {
    const call = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' }
    const customCall = { type: 'custom_tool_call', call_id: 'b', name: 'g', input: '' }
    const input = [call, customCall].map((item) => ({ ...item, namespace: 'mcp' }))
    expect(inputOf(...input)).toEqual([call, customCall])
    for (const tool of [{ type: 'namespace', name: 'mcp', tools: [] }, { type: 'tool_search' }]) {
      const given = input.map((item) => ({ ...item, id: 'x' }))
      const { request } = convertResponses({ model: 'm', input: given, tools: [tool] })
      expect(request.input).toEqual(input)
      const added = { type: 'additional_tools', role: 'developer', tools: [tool] }
      const tools = [{ type: 'function', name: 'other' }]
      const amid = convertResponses({ model: 'm', input: [added, ...given], tools })
      expect(amid.request.input).toEqual([added, ...input])
    }
  })

  test.each(['function_call_output', 'custom_tool_call_output'])(
    'case 88: %s without a result has an empty one',
    (type) => {
      for (const given of [{ output: null }, {}, { output: '' }]) {
        expect(inputOf({ type, call_id: 'a', ...given })).toEqual([{ type, call_id: 'a', output: '' }])
      }
    },
  )

  test.each(['function_call_output', 'custom_tool_call_output'])(
    'case 87: an image in a %s that upstream cannot read becomes a text, all else stays',
    (type) => {
      const images = [
        'image/png;base64,iVBORw0K',
        'image/svg+xml;base64,PHN2Zz4=',
        'image/png;base64,',
        ';base64,iVBORw0K',
      ]
      const output = images.map((image) => ({ type: 'input_image', image_url: `data:${image}` }))
      const others = [
        { type: 'input_image', image_url: 'https://example.com/a.svg' },
        { type: 'input_text', text: 'a' },
      ]
      const unshown = { type: 'input_text', text: expect.stringMatching(/^\[An image that the model cannot be shown/) }
      expect(inputOf({ type, call_id: 'a', output: [...output, ...others] })).toEqual([
        { type, call_id: 'a', output: [output[0], unshown, unshown, unshown, ...others] },
      ])
    },
  )

  test('case 91: a generated image comes back without what only tells how it was made', () => {
    const image = { type: 'image_generation_call', id: 'ig_1', status: 'generating', result: 'AAAA' }
    const told = { action: 'generate', background: 'opaque', output_format: 'png', quality: 'low', size: '1024x1024' }
    expect(inputOf({ ...image, ...told, call_id: 'a', revised_prompt: null })).toEqual([image])
    const codexs = { ...image, revised_prompt: 'A cat.', internal_chat_message_metadata_passthrough: { turn_id: 't' } }
    expect(inputOf({ ...codexs, ...told })).toEqual([codexs])
  })

  test.each([null, '', undefined])('case 91: an image that was not made (result %j) is left out', (result) => {
    expect(inputOf({ type: 'image_generation_call', id: 'ig_1', status: 'failed', result }, HELLO)).toHaveLength(1)
  })

  test('case 89: a search comes back without its sources, and no item with nulls', () => {
    const action = { type: 'search', query: 'tides' }
    const search = { type: 'web_search_call', id: 'ws_1', status: 'completed', action }
    for (const sources of [null, [{ type: 'url', url: 'https://example.com' }]]) {
      expect(inputOf({ ...search, action: { ...action, queries: null, sources } })).toEqual([search])
    }
    expect(inputOf({ ...search, action: null })).toEqual([{ type: 'web_search_call', id: 'ws_1', status: 'completed' }])
    const compaction = { type: 'compaction', id: 'cmp_1', encrypted_content: 'x' }
    expect(inputOf({ ...compaction, created_by: null })).toEqual([compaction])
  })

  test('case 108, 109: reasoning comes back encrypted and without text, or not at all', () => {
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' }
    expect(inputOf({ ...reasoning, content: null, status: null })).toEqual([{ ...reasoning, content: null }])
    expect(inputOf({ ...reasoning, summary: undefined, content: [{ type: 'reasoning_text', text: 'Hm' }] })).toEqual([
      reasoning,
    ])
    const bare = [null, ''].map((encrypted_content) => ({ ...reasoning, encrypted_content }))
    expect(inputOf(...bare, { type: 'reasoning', id: 'rs_2' })).toEqual([])
  })

  test('case 65: web_search_preview is web_search', () => {
    const { request } = convert({
      tools: [{ type: 'web_search_preview' }],
      tool_choice: { type: 'web_search_preview' },
    })
    expect(request).toMatchObject({ tools: [{ type: 'web_search' }], tool_choice: { type: 'web_search' } })
  })
})

test('case 67: an image can not be forced, so the model decides, and the client is told', () => {
  const forced = { tools: [{ type: 'image_generation' }], tool_choice: { type: 'image_generation' } }
  const { request, ignored } = convert(forced)
  expect([request.tool_choice, ignored]).toEqual(['auto', ['tool_choice']])
  expect(refusalOf(() => convert(forced, true))).toMatchObject({ code: 'unsupported_parameter', param: 'tool_choice' })
})

test('case 68: a forced search with filters is the only allowed tool, any other choice stays one', () => {
  const choiceOf = (tool: object) =>
    convert({ tools: [tool], tool_choice: { type: 'web_search_preview' } }).request.tool_choice
  const search = { type: 'web_search' }
  const filters = { allowed_domains: ['a.example'] }
  expect(choiceOf({ ...search, filters })).toEqual({ type: 'allowed_tools', mode: 'required', tools: [search] })
  expect(choiceOf(search)).toEqual(search)
})

test('case 73: parallel_tool_calls is passed, but not without tools', () => {
  const parallel = (fields: object) => convert({ parallel_tool_calls: false, ...fields })
  const tools = [{ type: 'web_search' }]
  expect(parallel({ tools }).request.parallel_tool_calls).toBe(false)
  expect(parallel({ tools, parallel_tool_calls: true }).request.parallel_tool_calls).toBe(true)
  expect(parallel({ tools: [] }).request.parallel_tool_calls).toBeUndefined()
  expect(parallel({}).request.parallel_tool_calls).toBeUndefined()
  expect(parallel({}).ignored).toEqual([])
  expect(refusalOf(() => parallel({ parallel_tool_calls: 'no' }))).toMatchObject({ param: 'parallel_tool_calls' })
})

test('case 188, 189: a body of the Lite lane passes untouched', () => {
  const body = {
    model: 'gpt-6.1-sol',
    stream: true,
    input: [
      { type: 'additional_tools', id: 'at_1', role: 'developer', tools: [{ type: 'function', name: 'f' }] },
      { type: 'message', id: 'msg_1', role: 'developer', content: [{ type: 'input_text', text: 'Be Codex.' }] },
      { ...HELLO, id: 'msg_2', internal_chat_message_metadata_passthrough: {} },
    ],
    tool_choice: 'auto',
    parallel_tool_calls: false,
    reasoning: { effort: 'high', context: 'all_turns' },
    store: false,
    include: ['reasoning.encrypted_content'],
    client_metadata: { session_id: 'x' },
  }
  const { request, lite, ignored } = convertResponses(body, { strict: true })
  expect(JSON.stringify(request)).toBe(JSON.stringify(body))
  expect({ lite, ignored }).toEqual({ lite: true, ignored: [] })
})

test('case 189, 205: storing is reported for a body of the Lite lane too, in strict mode refused', () => {
  const body = {
    model: 'gpt-6.1-sol',
    input: [{ type: 'additional_tools', role: 'developer', tools: [] }],
    store: true,
  }
  const { request, ignored } = convertResponses(body)
  expect({ store: request.store, ignored }).toEqual({ store: false, ignored: ['store'] })
  const refusal = refusalOf(() => convertResponses(body, { strict: true }))
  expect(refusal).toMatchObject({ code: 'unsupported_parameter', param: 'store' })
  expect(convertResponses({ ...body, store: null }, { strict: true }).ignored).toEqual([])
})

describe('a body with additional tools beside others', () => {
  const added = { type: 'additional_tools', role: 'developer', tools: [{ type: 'function', name: 'found' }] }
  const tools = [{ type: 'function', name: 'search' }]

  test.each([
    ['further on', { input: [HELLO, added], tools }],
    ['first', { input: [added, HELLO], tools }],
  ])('case 89, 189: is converted like any other, and keeps the item, when it is %s', (_place, body) => {
    const { request, lite, ignored } = convert({ ...body, max_output_tokens: 9 })
    expect(request).toMatchObject({ ...body, instructions: '', include: ['reasoning.encrypted_content'] })
    expect(request).not.toHaveProperty('max_output_tokens')
    expect({ lite, ignored }).toEqual({ lite: false, ignored: ['max_output_tokens'] })
  })
})

test.each([{ type: 'web_search' }, { type: 'tool_search' }, { type: 'tool_search', execution: 'server' }])(
  'case 191: a body that adds a tool which the Lite lane does not have (%j) is converted like any other',
  (tool) => {
    const added = { type: 'additional_tools', role: 'developer', tools: [tool] }
    const { request, lite, ignored } = convert({ input: [HELLO, added], temperature: 0.2 })
    expect(request).toMatchObject({ input: [HELLO, added], instructions: '' })
    expect({ lite, ignored }).toEqual({ lite: false, ignored: ['temperature'] })
  },
)

test('case 191: a tool search that the client runs is on the Lite lane', () => {
  const added = { type: 'additional_tools', role: 'developer', tools: [{ type: 'tool_search', execution: 'client' }] }
  expect(convert({ input: [added, HELLO] }).lite).toBe(true)
})

test('case 188: an empty list of tools beside the item is none', () => {
  const added = { type: 'additional_tools', role: 'developer', tools: [{ type: 'function', name: 'found' }] }
  expect(convert({ input: [added, HELLO], tools: [] }).lite).toBe(true)
  expect(convert({ input: [HELLO, added] }).lite).toBe(true)
})

test('case 103: ultra, which the list of models offers, is called max on the wire, and other settings stay', () => {
  const reasoning = { effort: 'ultra', summary: 'auto' }
  expect(convert({ reasoning }).request.reasoning).toEqual({ effort: 'max', summary: 'auto' })
  expect(convert({ reasoning: { effort: 'minimal' } }).request.reasoning).toEqual({ effort: 'minimal' })
  expect(convert({ reasoning: { effort: 7 } }).request.reasoning).toEqual({ effort: 7 })
})

test('case 193: no reasoning context is made up on the full lane', () => {
  expect(convert({ model: 'gpt-6.1-sol', reasoning: { effort: 'low' } }).request.reasoning).toEqual({ effort: 'low' })
})

test.each([
  [{ model: undefined }, 'model', 'missing_required_parameter'],
  [{ model: 7 }, 'model', 'invalid_type'],
  [{ input: undefined }, 'input', 'missing_required_parameter'],
  [{ input: 7 }, 'input', 'invalid_type'],
  [{ input: ['x'] }, 'input[0]', 'invalid_type'],
  [{ input: [{}] }, 'input[0].role', 'missing_required_parameter'],
  [{ input: [{ role: 'robot', content: 'x' }] }, 'input[0].role', 'invalid_value'],
  [{ input: [{ role: 'user' }] }, 'input[0].content', 'missing_required_parameter'],
  [{ input: [{ role: 'user', content: 7 }] }, 'input[0].content', 'invalid_type'],
  [{ input: [{ role: 'user', content: [7] }] }, 'input[0].content[0]', 'invalid_type'],
  [{ instructions: ['x'] }, 'instructions', 'invalid_type'],
  [{ tools: {} }, 'tools', 'invalid_type'],
  [{ include: 'x' }, 'include', 'invalid_type'],
  [{ include: [7] }, 'include[0]', 'invalid_type'],
  [{ stream: 'yes' }, 'stream', 'invalid_type'],
  [{ reasoning: 'high' }, 'reasoning', 'invalid_type'],
  [{ prompt_cache_key: 7 }, 'prompt_cache_key', 'invalid_type'],
])('%o is refused at its exact place', (fields, param, code) => {
  expect(refusalOf(() => convert(fields))).toMatchObject({ status: 400, param, code })
})

test.each([[null], [7], ['text'], [[]]])('the body %o is refused', (body) => {
  expect(refusalOf(() => convertResponses(body))).toMatchObject({
    code: 'invalid_type',
  })
})
