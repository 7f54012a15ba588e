import { describe, expect, test } from 'vitest'
import { convertChat, itemsOf, partsOf, refusalOf } from '../../../../test/support/converted-requests.ts'

const PNG = 'data:image/png;base64,iVBORw0KGgo='
const HELLO = { role: 'user', content: 'Hello' }
const HELLO_ITEM = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }

const message = (role: string, ...content: object[]) => ({ type: 'message', role, content })
const inputText = (text: string) => ({ type: 'input_text', text })
const outputText = (text: string) => ({ type: 'output_text', text })
const instructionsOf = (messages: object[], fields: object = {}) =>
  convertChat({ messages, ...fields }).request.instructions

const functionCall = (id: string, name = 'f', args = '{}') => ({
  id,
  type: 'function',
  function: { name, arguments: args },
})
const result = (id: string, content: unknown = 'ok') => ({ role: 'tool', tool_call_id: id, content })
/** A call and its result; the output is what the result became. */
const outputOf = (content: unknown) =>
  itemsOf([HELLO, { role: 'assistant', tool_calls: [functionCall('a')] }, result('a', content)])[2]?.output

describe('system and developer messages', () => {
  test('case 26, 27, 31: leading ones become instructions, a blank line between them', () => {
    const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'developer', content: 'Use English.' }, HELLO]
    expect(instructionsOf(messages)).toBe('Be brief.\n\nUse English.')
    expect(itemsOf(messages)).toEqual([HELLO_ITEM])
    expect(instructionsOf([{ role: 'developer', content: 'Only this.' }, HELLO])).toBe('Only this.')
  })

  test('case 28: later ones stay in place as developer messages', () => {
    const messages = [HELLO, { role: 'system', content: 'Now be brief.' }, { role: 'user', content: 'And?' }]
    expect(instructionsOf(messages)).toBe('')
    expect(itemsOf(messages)).toEqual([
      HELLO_ITEM,
      message('developer', inputText('Now be brief.')),
      message('user', inputText('And?')),
    ])
  })

  test('case 29: their content may be parts of either name', () => {
    const content = [
      { type: 'text', text: 'One.' },
      { type: 'input_text', text: 'Two.' },
    ]
    expect(instructionsOf([{ role: 'system', content }, HELLO])).toBe('One.\n\nTwo.')
  })

  test('case 30, 45: one with an image is a developer message, and what follows it stays behind it', () => {
    const image = { type: 'image_url', image_url: { url: PNG } }
    const messages = [
      { role: 'system', content: 'First.' },
      { role: 'system', content: [{ type: 'text', text: 'Look:' }, image] },
      { role: 'system', content: 'Last.' },
      HELLO,
    ]
    expect(instructionsOf(messages)).toBe('First.')
    expect(itemsOf(messages)).toEqual([
      message('developer', inputText('Look:'), { type: 'input_image', image_url: PNG }),
      message('developer', inputText('Last.')),
      HELLO_ITEM,
    ])
  })

  test('case 32: upstream gets something to answer', () => {
    const messages = [{ role: 'system', content: 'Greet me.' }]
    expect(instructionsOf(messages)).toBe('Greet me.')
    expect(itemsOf(messages)).toEqual([message('user', inputText(''))])
  })

  test('an empty one says nothing', () => {
    expect(instructionsOf([{ role: 'system', content: '' }, { role: 'system', content: 'S' }, HELLO])).toBe('S')
  })
})

describe('messages', () => {
  test('case 33: nothing but type, role and content is sent', () => {
    const messages = [
      { ...HELLO, name: 'Ann', cache_control: {}, _private: 1 },
      {
        role: 'assistant',
        content: 'Hi',
        name: 'Bob',
        audio: null,
        annotations: [],
        reasoning_content: 'Hm',
        refusal: null,
      },
    ]
    expect(itemsOf(messages)).toEqual([HELLO_ITEM, message('assistant', outputText('Hi'))])
  })

  test('case 8: cache hints on parts are not sent', () => {
    const text = { type: 'text', text: 'Hello', cache_control: {}, prompt_cache_breakpoint: { mode: 'explicit' } }
    expect(partsOf([text])).toEqual([inputText('Hello')])
  })

  test('case 34: text of the user is input, text of the assistant output', () => {
    const messages = [HELLO, { role: 'assistant', content: [{ type: 'text', text: 'Hi' }] }]
    expect(itemsOf(messages)).toEqual([HELLO_ITEM, message('assistant', outputText('Hi'))])
  })

  test.each([[''], [null], [undefined], [[]]])('case 35: content %o beside calls makes no message', (content) => {
    const items = itemsOf([HELLO, { role: 'assistant', content, tool_calls: [functionCall('a')] }, result('a')])
    expect(items.map(({ type }) => type)).toEqual(['message', 'function_call', 'function_call_output'])
  })

  test('case 36: text comes before the calls of its message', () => {
    const calls = [functionCall('a', 'f', '{"x":1}'), functionCall('b', 'g')]
    const items = itemsOf([HELLO, { role: 'assistant', content: 'Wait.', tool_calls: calls }, result('b'), result('a')])
    expect(items.slice(1)).toEqual([
      message('assistant', outputText('Wait.')),
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{"x":1}' },
      { type: 'function_call', call_id: 'b', name: 'g', arguments: '{}' },
      { type: 'function_call_output', call_id: 'b', output: 'ok' },
      { type: 'function_call_output', call_id: 'a', output: 'ok' },
    ])
  })

  test('case 37: refusals stay refusals, other parts with text are text', () => {
    const content = [
      { type: 'text', text: 'Well.' },
      { type: 'refusal', refusal: 'No.' },
      { type: 'summary', text: 'In short: no.' },
    ]
    expect(itemsOf([HELLO, { role: 'assistant', content, refusal: 'Never.' }])[1]).toEqual(
      message('assistant', outputText('Well.'), { type: 'refusal', refusal: 'No.' }, outputText('In short: no.'), {
        type: 'refusal',
        refusal: 'Never.',
      }),
    )
  })

  test('case 38: echoed reasoning is not sent as text', () => {
    const content = [
      { type: 'thinking', thinking: 'Hm' },
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Hi' },
    ]
    const items = itemsOf([HELLO, { role: 'assistant', content, reasoning_content: 'Hm', reasoning: 'Hm' }])
    expect(items[1]).toEqual(message('assistant', outputText('Hi')))
  })

  test('case 40: messages of one role stay apart', () => {
    expect(itemsOf([HELLO, HELLO])).toEqual([HELLO_ITEM, HELLO_ITEM])
  })

  test('a conversation of nothing but empty messages is not searched anew for each of them', () => {
    let looks = 0
    const empty = {
      get role() {
        looks++
        return 'user'
      },
      content: '',
    }
    itemsOf(Array.from({ length: 100 }, () => empty))
    expect(looks).toBeLessThanOrEqual(300)
  })

  test('case 50: empty text is left out, unless it is all the user says', () => {
    expect(
      partsOf([
        { type: 'text', text: '' },
        { type: 'text', text: 'x' },
      ]),
    ).toEqual([inputText('x')])
    expect(itemsOf([{ role: 'user', content: '' }, HELLO])).toEqual([HELLO_ITEM])
    const greeted = [{ role: 'user', content: '' }, { role: 'assistant', content: 'Hi', refusal: '' }, HELLO]
    expect(itemsOf(greeted)).toEqual([message('assistant', outputText('Hi')), HELLO_ITEM])
    expect(itemsOf([{ role: 'user', content: '' }])).toEqual([message('user', inputText(''))])
    const answered = [
      { role: 'user', content: '' },
      { role: 'assistant', content: 'Hi' },
    ]
    expect(itemsOf(answered)).toEqual([message('user', inputText('')), message('assistant', outputText('Hi'))])
  })

  test.each([
    { content: null },
    { content: null, tool_calls: null, function_call: null, refusal: null },
    { content: null, tool_calls: [] },
    { reasoning_content: 'Hm' },
    { reasoning: 'Hm' },
    { reasoning_details: [{ type: 'reasoning.text', text: 'Hm' }] },
  ])('an answer that was stopped before it said anything is left out: %j', (rest) => {
    expect(itemsOf([HELLO, { role: 'assistant', ...rest }, HELLO])).toEqual([HELLO_ITEM, HELLO_ITEM])
  })

  test.each([
    ['an unknown role', { role: 'robot', content: 'x' }, 'messages[1].role', 'invalid_value'],
    ['no role', { content: 'x' }, 'messages[1].role', 'missing_required_parameter'],
    ['no content', { role: 'user' }, 'messages[1].content', 'missing_required_parameter'],
    ['a number as content', { role: 'user', content: 5 }, 'messages[1].content', 'invalid_type'],
    ['an object as content', { role: 'user', content: {} }, 'messages[1].content', 'invalid_type'],
    ['a number as part', { role: 'user', content: [5] }, 'messages[1].content[0]', 'invalid_type'],
    [
      'a part without a type',
      { role: 'user', content: [{}] },
      'messages[1].content[0].type',
      'missing_required_parameter',
    ],
    [
      'text without text',
      { role: 'user', content: [{ type: 'text' }] },
      'messages[1].content[0].text',
      'missing_required_parameter',
    ],
    [
      'text of the assistant without text',
      { role: 'assistant', content: [{ type: 'text' }] },
      'messages[1].content[0].text',
      'missing_required_parameter',
    ],
    [
      'text of the assistant in Responses form without text',
      { role: 'assistant', content: [{ type: 'output_text' }] },
      'messages[1].content[0].text',
      'missing_required_parameter',
    ],
    ['an assistant that says nothing', { role: 'assistant' }, 'messages[1].content', 'missing_required_parameter'],
    ['calls that are no list', { role: 'assistant', tool_calls: {} }, 'messages[1].tool_calls', 'invalid_type'],
    ['a call that is none', { role: 'assistant', tool_calls: ['f'] }, 'messages[1].tool_calls[0]', 'invalid_type'],
    [
      'a function call that is none',
      { role: 'assistant', function_call: 'f' },
      'messages[1].function_call',
      'invalid_type',
    ],
    [
      'a call without an id',
      { role: 'assistant', tool_calls: [{ function: { name: 'f' } }] },
      'messages[1].tool_calls[0].id',
      'missing_required_parameter',
    ],
    [
      'a call without a function',
      { role: 'assistant', tool_calls: [{ id: 'a', type: 'function' }] },
      'messages[1].tool_calls[0].function',
      'missing_required_parameter',
    ],
    [
      'a call of a function with an empty name',
      { role: 'assistant', tool_calls: [functionCall('a', '')] },
      'messages[1].tool_calls[0].function.name',
      'invalid_value',
    ],
    [
      'a call of an unknown type',
      { role: 'assistant', tool_calls: [{ id: 'a', type: 'x' }] },
      'messages[1].tool_calls[0].type',
      'invalid_value',
    ],
    ['a message that is no object', 'x', 'messages[1]', 'invalid_type'],
  ])('%s is refused at its exact place', (_name, faulty, param, code) => {
    expect(refusalOf(() => itemsOf([HELLO, faulty as object]))).toMatchObject({ status: 400, param, code })
  })

  test('faults are worded as the API words them', () => {
    const text = (messages: unknown[]) => refusalOf(() => itemsOf(messages as object[])).message
    expect(text([{ role: 'robot' }])).toBe(
      "Invalid value: 'robot'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
    )
    expect(text([{ role: 'assistant', tool_calls: [functionCall('a', '')] }])).toBe(
      "Invalid 'messages[0].tool_calls[0].function.name': empty string.",
    )
    expect(text([{ role: 'user', content: {} }])).toBe(
      "Invalid type for 'messages[0].content': expected one of a string or array of objects, but got an object instead.",
    )
    expect(text([{ role: 'user', content: [{}] }])).toBe("Missing required parameter: 'messages[0].content[0].type'.")
    expect(text([])).toBe(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    )
  })
})

describe('images, files and audio', () => {
  test.each([
    ['an object', { type: 'image_url', image_url: { url: PNG } }, { image_url: PNG }],
    ['with detail', { type: 'image_url', image_url: { url: PNG, detail: 'high' } }, { image_url: PNG, detail: 'high' }],
    ['a text', { type: 'image_url', image_url: 'https://a.example/b.png' }, { image_url: 'https://a.example/b.png' }],
    ['in Responses form', { type: 'input_image', image_url: PNG, detail: 'low' }, { image_url: PNG, detail: 'low' }],
  ])('case 43: an image given as %s', (_name, part, image) => {
    expect(partsOf([part])).toEqual([{ type: 'input_image', ...image }])
  })

  test.each([
    ['line breaks', 'iVBO\nRw0K\r\nGgo='],
    ['missing padding', 'iVBORw0KGgo'],
    ['percent-encoding', 'iVBORw0KGgo%3D'],
    ['too much padding', 'iVBORw0KGgo=='],
  ])('case 44: %s of base64 are put right', (_name, payload) => {
    const part = { type: 'image_url', image_url: { url: `data:image/png;base64,${payload}` } }
    expect(partsOf([part])).toEqual([{ type: 'input_image', image_url: PNG }])
  })

  test('case 44: a payload made to be slow to mend is not', () => {
    const url = `data:image/png;base64,${'='.repeat(500_000)}x`
    expect(partsOf([{ type: 'image_url', image_url: { url } }])).toEqual([{ type: 'input_image', image_url: url }])
  })

  test('case 44: the URL-safe alphabet is put right, and all else of it stays', () => {
    const same = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
    const url = (payload: string) => `data:image/png;base64,${payload}`
    const part = { type: 'image_url', image_url: { url: url(`${same}-_`) } }
    expect(partsOf([part])).toEqual([{ type: 'input_image', image_url: url(`${same}+/`) }])
  })

  test.each(['data:image/png;base64,?!', 'data:image/png;base64,A', 'data:image/svg+xml,%3Csvg/%3E'])(
    'case 44: %s stays for upstream to judge',
    (url) => {
      expect(partsOf([{ type: 'image_url', image_url: { url } }])).toEqual([{ type: 'input_image', image_url: url }])
    },
  )

  test.each(['sediment://file_1', 'file-abc', 'iVBORw0KGgo=', 'ftp://a.example/b.png', ''])(
    'case 47: the image reference "%s" is refused',
    (url) => {
      expect(refusalOf(() => partsOf([{ type: 'image_url', image_url: { url } }]))).toMatchObject({
        code: 'invalid_value',
        param: 'messages[0].content[0].image_url.url',
      })
    },
  )

  test('an image that is none is refused', () => {
    const refusal = refusalOf(() =>
      partsOf([{ type: 'image_url', image_url: { url: 'data:application/pdf;base64,AAAA' } }]),
    )
    expect(refusal).toMatchObject({ code: 'invalid_value', message: expect.stringContaining("'application/pdf'") })
  })

  test('case 45: an image said by the assistant is refused', () => {
    const content = [{ type: 'image_url', image_url: { url: PNG } }]
    expect(refusalOf(() => itemsOf([HELLO, { role: 'assistant', content }]))).toMatchObject({
      param: 'messages[1].content[0].type',
      code: 'invalid_value',
    })
  })

  test.each([
    [{ file_data: 'data:application/pdf;base64,JVBE', filename: 'a.pdf' }],
    [{ file_id: 'file-1' }],
    [{ file_url: 'https://a.example/b.pdf' }],
  ])('case 46: the file %o is passed, also in Responses form', (file) => {
    const passed = { type: 'input_file', ...file }
    expect(partsOf([{ type: 'file', file }, passed])).toEqual([passed, passed])
  })

  test.each([[{ filename: 'a.pdf' }], [{ filename: 'a.pdf', file_data: '' }], [{ file_id: '' }]])(
    'the file %o has no content and is refused',
    (file) => {
      const refusal = refusalOf(() => partsOf([{ type: 'file', file }]))
      expect(refusal).toMatchObject({
        param: 'messages[0].content[0].file.file_data',
        code: 'missing_required_parameter',
      })
    },
  )

  test('case 48: audio is refused, in a tool result too', () => {
    const audio = { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }
    expect(refusalOf(() => partsOf([audio]))).toMatchObject({
      param: 'messages[0].content[0].type',
      code: 'unsupported_value',
    })
    expect(refusalOf(() => outputOf([audio]))).toMatchObject({ param: 'messages[2].content[0].type' })
  })

  test('case 49: an unknown part is refused by its index', () => {
    const refusal = refusalOf(() => partsOf([{ type: 'text', text: 'x' }, { type: 'video' }]))
    expect(refusal).toEqual({
      status: 400,
      code: 'invalid_value',
      param: 'messages[0].content[1].type',
      message: "Invalid value: 'video'. Supported values are: 'text', 'image_url', and 'file'.",
    })
  })
})

describe('legacy functions in the history', () => {
  const legacyCall = (name: string) => ({
    role: 'assistant',
    content: null,
    function_call: { name, arguments: '{"a":1}' },
  })
  const legacyResult = (name: string, content = 'ok') => ({ role: 'function', name, content })

  test('case 41, 42: call and result share a made-up id that stays the same', () => {
    const history = [HELLO, legacyCall('f'), legacyResult('f'), legacyCall('g'), legacyResult('g')]
    const items = itemsOf(history)
    expect(items.slice(1, 3)).toEqual([
      { type: 'function_call', call_id: 'call_legacy_0', name: 'f', arguments: '{"a":1}' },
      { type: 'function_call_output', call_id: 'call_legacy_0', output: 'ok' },
    ])
    expect(items[4]).toMatchObject({ type: 'function_call_output', call_id: 'call_legacy_1' })
    expect(itemsOf([...history, HELLO]).slice(0, 5)).toEqual(items)
  })

  test('case 41: very many calls of one function are answered from the last, without a search for each', () => {
    // With a search through all that are open, this alone takes minutes.
    const calls = Array.from({ length: 100_000 }, () => legacyCall('f'))
    const items = itemsOf([HELLO, ...calls, ...calls.map(() => legacyResult('f'))])
    expect(items.at(-1)).toMatchObject({ type: 'function_call_output', call_id: 'call_legacy_0' })
  })

  test('case 41: a result that answers no call is refused', () => {
    expect(refusalOf(() => itemsOf([HELLO, legacyCall('f'), legacyResult('g')]))).toMatchObject({
      param: 'messages.[2].role',
      message: expect.stringContaining("messages with role 'function' must be a response"),
    })
    expect(refusalOf(() => itemsOf([HELLO, legacyCall('f')]))).toMatchObject({
      param: 'messages.[1].role',
      message: expect.stringContaining("The function 'f' did not have a response message."),
    })
  })
})

describe('tool calls in the history', () => {
  test('case 62, 64, 79: custom calls and their results, also of a custom tool called as a function', () => {
    const tools = [{ type: 'custom', custom: { name: 'grep' } }]
    const calls = [
      { id: 'a', type: 'custom', custom: { name: 'grep', input: 'x.*' } },
      functionCall('b', 'grep', 'y.*'),
    ]
    const items = itemsOf([HELLO, { role: 'assistant', tool_calls: calls }, result('b'), result('a')], { tools })
    expect(items.slice(1)).toEqual([
      { type: 'custom_tool_call', call_id: 'a', name: 'grep', input: 'x.*' },
      { type: 'custom_tool_call', call_id: 'b', name: 'grep', input: 'y.*' },
      { type: 'custom_tool_call_output', call_id: 'b', output: 'ok' },
      { type: 'custom_tool_call_output', call_id: 'a', output: 'ok' },
    ])
  })

  test('case 62: a custom call stays one where its tool is not declared any more', () => {
    const call = { id: 'a', type: 'custom', custom: { name: 'grep', input: 'x.*' } }
    const items = itemsOf([HELLO, { role: 'assistant', tool_calls: [call] }, result('a')])
    expect(items.slice(1)).toEqual([
      { type: 'custom_tool_call', call_id: 'a', name: 'grep', input: 'x.*' },
      { type: 'custom_tool_call_output', call_id: 'a', output: 'ok' },
    ])
  })

  test('case 74, 75: a call left unanswered is refused in the words of the API', () => {
    const calls = [functionCall('a'), functionCall('b'), functionCall('c')]
    const later = { role: 'assistant', tool_calls: [functionCall('d')] }
    const messages = [HELLO, { role: 'assistant', tool_calls: calls }, result('b'), HELLO, later]
    expect(refusalOf(() => itemsOf(messages))).toEqual({
      status: 400,
      code: null,
      param: 'messages.[1].role',
      message:
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: a, c",
    })
  })

  test('case 74, 75: a result that answers no call is refused in the words of the API', () => {
    expect(refusalOf(() => itemsOf([HELLO, result('a')]))).toEqual({
      status: 400,
      code: null,
      param: 'messages.[1].role',
      message:
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
    })
  })

  test('case 76: a result without an id is refused', () => {
    const messages = [HELLO, { role: 'assistant', tool_calls: [functionCall('a')] }, { role: 'tool', content: 'ok' }]
    expect(refusalOf(() => itemsOf(messages))).toMatchObject({
      param: 'messages[2].tool_call_id',
      code: 'missing_required_parameter',
    })
  })

  test('case 78: an id may be used again in a later round, but not twice in one message', () => {
    const round = [{ role: 'assistant', tool_calls: [functionCall('a')] }, result('a')]
    expect(itemsOf([HELLO, ...round, ...round]).map(({ call_id }) => call_id)).toEqual([undefined, 'a', 'a', 'a', 'a'])
    const twice = { role: 'assistant', tool_calls: [functionCall('a'), functionCall('a')] }
    expect(refusalOf(() => itemsOf([HELLO, twice, result('a')]))).toMatchObject({
      param: 'messages[1].tool_calls[1].id',
    })
    const reopened = [HELLO, { role: 'assistant', tool_calls: [functionCall('a')] }, ...round]
    expect(refusalOf(() => itemsOf(reopened))).toMatchObject({ param: 'messages.[1].role' })
  })

  test('case 80: other messages may stand between a call and its result', () => {
    const items = itemsOf([HELLO, { role: 'assistant', tool_calls: [functionCall('a')] }, HELLO, result('a')])
    expect(items.map(({ type }) => type)).toEqual(['message', 'function_call', 'message', 'function_call_output'])
  })

  test('case 81: foreign ids pass, long ones are shortened alike on both sides', () => {
    const long = `toolu_${'x'.repeat(80)}`
    const history = (id: string) => [HELLO, { role: 'assistant', tool_calls: [functionCall(id)] }, result(id)]
    for (const id of ['toolu_1', 'x'.repeat(64)]) expect(itemsOf(history(id))[1]).toMatchObject({ call_id: id })
    const [, call, output] = itemsOf(history(long))
    expect(call?.call_id).toMatch(/^call_[0-9a-f]{40}$/)
    expect(output?.call_id).toBe(call?.call_id)
    expect(itemsOf(history(`${long}y`))[1]?.call_id).not.toBe(call?.call_id)
  })

  test('case 77: an empty id is one for upstream, the same on both sides', () => {
    const turn = [{ role: 'assistant', tool_calls: [functionCall('')] }, result('')]
    const [, call, output, later] = itemsOf([HELLO, ...turn, ...turn])
    expect(call?.call_id).toMatch(/^call_[0-9a-f]{40}$/)
    expect([output?.call_id, later?.call_id]).toEqual([call?.call_id, call?.call_id])
  })

  test('case 82: an id of the call is its call_id and nothing else', () => {
    const [, call] = itemsOf([HELLO, { role: 'assistant', tool_calls: [functionCall('call_1')] }, result('call_1')])
    expect(Object.keys(call ?? {})).toEqual(['type', 'call_id', 'name', 'arguments'])
  })

  test.each(['toolCallId', 'call_id'])('case 83: the id of a result may be called %s', (name) => {
    const messages = [
      HELLO,
      { role: 'assistant', tool_calls: [functionCall('a')] },
      { role: 'tool', [name]: 'a', content: '' },
    ]
    expect(itemsOf(messages)[2]).toMatchObject({ call_id: 'a' })
  })

  test.each([
    [{ x: 1 }, '{"x":1}'],
    ['', '{}'],
    [null, '{}'],
    [undefined, '{}'],
    ['{"x": 1}', '{"x": 1}'],
  ])('case 84: arguments %o are sent as %s', (given, sent) => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: given } }
    expect(itemsOf([HELLO, { role: 'assistant', tool_calls: [call] }, result('a')])[1]?.arguments).toBe(sent)
  })

  test.each([[''], [null], [undefined]])('case 64, 84: arguments %o of a custom tool are an empty input', (given) => {
    const tools = [{ type: 'custom', custom: { name: 'grep' } }]
    const call = { id: 'a', type: 'function', function: { name: 'grep', arguments: given } }
    const items = itemsOf([HELLO, { role: 'assistant', tool_calls: [call] }, result('a')], { tools })
    expect(items[1]).toEqual({ type: 'custom_tool_call', call_id: 'a', name: 'grep', input: '' })
  })
})

describe('tool results', () => {
  test.each([
    ['plain'],
    ['[1, 2]'],
    ['{"type":"image_url"}'],
    ['[{"type":"text","text":"no picture"}]'],
    ['[{"type":"image","text":"no picture either"}]'],
    ['[{"broken'],
    ['[{"type":"image","broken'],
  ])('case 85: the text %s stays text', (content) => {
    expect(outputOf(content)).toBe(content)
  })

  test('case 86: parts stay parts, what is unknown is shown as its JSON', () => {
    const content = [
      { type: 'text', text: 'Here:' },
      { type: 'output_text', text: 'See.' },
      { type: 'image_url', image_url: { url: PNG, detail: 'low' } },
      { type: 'file', file: { file_id: 'file-1' } },
      { type: 'image', mimeType: 'image/png', data: 'iVBORw0KGgo=' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
      { type: 'image', source: { type: 'url', url: 'https://a.example/b.png' } },
      { type: 'image', data: 'AAAA' },
      { type: 'image', mimeType: 'image/png' },
      { type: 'audio', mimeType: 'audio/wav', data: 'AAAA' },
      { type: 'resource', uri: 'file:///x' },
      { any: 'thing' },
    ]
    expect(outputOf(content)).toEqual([
      inputText('Here:'),
      inputText('See.'),
      { type: 'input_image', image_url: PNG, detail: 'low' },
      { type: 'input_file', file_id: 'file-1' },
      { type: 'input_image', image_url: PNG },
      { type: 'input_image', image_url: PNG },
      { type: 'input_image', image_url: 'https://a.example/b.png' },
      inputText('{"type":"image","data":"AAAA"}'),
      inputText('{"type":"image","mimeType":"image/png"}'),
      inputText('{"type":"audio","mimeType":"audio/wav","data":"AAAA"}'),
      inputText('{"type":"resource","uri":"file:///x"}'),
      inputText('{"any":"thing"}'),
    ])
  })

  test.each([
    ['of Responses', { type: 'input_image', image_url: PNG }],
    ['of Chat', { type: 'image_url', image_url: { url: PNG } }],
    ['of MCP', { type: 'image', mimeType: 'image/png', data: 'iVBORw0KGgo=' }],
    ['of AI SDK 7', { type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'iVBORw0KGgo=' } }],
    ['by its URL of AI SDK 7', { type: 'file', mediaType: 'image/png', data: { type: 'url', url: PNG } }],
    ['of AI SDK 6', { type: 'image-data', mediaType: 'image/png', data: 'iVBORw0KGgo=' }],
    ['that is a file of AI SDK 6', { type: 'file-data', mediaType: 'image/png', data: 'iVBORw0KGgo=' }],
    ['of AI SDK 5', { type: 'media', mediaType: 'image/png', data: 'iVBORw0KGgo=' }],
  ])('case 87: an image %s inside JSON text is an image', (_name, image) => {
    const content = JSON.stringify([{ type: 'text', text: 'Here:' }, image])
    expect(outputOf(content)).toEqual([inputText('Here:'), { type: 'input_image', image_url: PNG }])
  })

  test('case 87: beside an image of the AI SDK its other files are shown as their JSON', () => {
    const image = { type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'iVBORw0KGgo=' } }
    const pdf = { type: 'file', mediaType: 'application/pdf', data: { type: 'data', data: 'JVBERi0=' } }
    const parts = [{ type: 'input_image', image_url: PNG }, inputText(JSON.stringify(pdf))]
    expect(outputOf(JSON.stringify([image, pdf]))).toEqual(parts)
  })

  describe.each([
    ['an SVG', 'image/svg+xml', 'PHN2Zz4='],
    ['a HEIC', 'image/heic', 'AAAA'],
    ['empty', 'image/png', ''],
    ['only blank', 'image/png', ' '],
  ])('an image that is %s ends no conversation: it is told as a text', (_what, type, data) => {
    const text = inputText(expect.stringContaining('An image that the model cannot be shown'))
    const url = `data:${type};base64,${data}`
    test.each([
      ['Chat', { type: 'image_url', image_url: { url } }],
      ['Chat in capitals', { type: 'image_url', image_url: { url: url.replace('data', 'DATA') } }],
      ['MCP', { type: 'image', mimeType: type, data }],
      ['AI SDK 7', { type: 'file', mediaType: type, data: { type: 'data', data } }],
    ])('of %s', (_whose, image) => {
      const parts = [{ type: 'text', text: 'Here:' }, image]
      expect(outputOf(parts)).toEqual([inputText('Here:'), text])
      expect(outputOf(JSON.stringify(parts))).toEqual([inputText('Here:'), text])
    })
  })

  test.each(['image/jpeg', 'image/jpg', 'image/png', 'image/gif', 'image/webp', 'IMAGE/PNG'])(
    'an image of the type %s is shown',
    (type) => {
      const url = `data:${type};base64,AAAA`
      expect(outputOf([{ type: 'image_url', image_url: { url } }])).toEqual([{ type: 'input_image', image_url: url }])
    },
  )

  test.each([
    { type: 'image_url', image_url: { url: 'nowhere' } },
    { type: 'file', mediaType: 'application/pdf', data: { type: 'data', data: 'JVBERi0=' } },
    { type: 'file', mediaType: 'image/png', data: { type: 'reference', reference: {} } },
    { type: 'file', mediaType: 'image/png', path: '/a.png' },
    { type: 'file', mediaType: 'image/png;a=b', data: { type: 'data', data: 'iVBORw0KGgo=' } },
    { type: 'asset', mediaType: 'image/png', data: 'a.png' },
  ])('case 87: JSON text without an image that can be shown stays text: %j', (part) => {
    const content = JSON.stringify([part])
    expect(outputOf(content)).toBe(content)
  })

  test('JSON text of too many values stays text', () => {
    const image = JSON.stringify({ type: 'input_image', image_url: PNG })
    const content = `[${image}${`,{"type":"text","text":""}`.repeat(200_000)}]`
    expect(outputOf(content)).toBe(content)
  })

  test.each([[''], [null], [[]]])('case 88: the empty result %o is an empty text', (content) => {
    expect(outputOf(content)).toBe('')
  })

  test('a result that is neither text nor parts is refused', () => {
    expect(refusalOf(() => outputOf({ a: 1 }))).toMatchObject({ param: 'messages[2].content', code: 'invalid_type' })
  })
})
