import { describe, expect, test } from 'vitest'
import { convertChat, refusalOf } from '../../../../test/support/converted-requests.ts'
import { CHAT_FIELDS } from './chat-fields.ts'
import { ABSENT_HOSTED_TOOLS, UNCALLABLE_TOOLS } from './tools.ts'

const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const WEATHER = { type: 'function', function: { name: 'weather', description: 'Now.', parameters: PARAMETERS } }

const toolsOf = (...tools: unknown[]) => convertChat({ tools }).request.tools

describe('tools', () => {
  test('case 51, 54: a function is flattened and says that it is not strict', () => {
    expect(toolsOf(WEATHER)).toEqual([
      { type: 'function', name: 'weather', description: 'Now.', parameters: PARAMETERS, strict: false },
    ])
  })

  test('case 54: strict is passed', () => {
    const parameters = { ...PARAMETERS, additionalProperties: false }
    expect(toolsOf({ type: 'function', function: { name: 'f', parameters, strict: true } })).toEqual([
      { type: 'function', name: 'f', parameters, strict: true },
    ])
  })

  test('case 52: tools in Responses form pass', () => {
    const flat = { type: 'function', name: 'f', parameters: PARAMETERS, strict: true }
    const search = { type: 'web_search', filters: { allowed_domains: ['a.example'] } }
    const unknown = { type: 'vendor:tool', function: {}, custom: {}, parameters: { max_uses: 1 } }
    expect(toolsOf(flat, search, unknown)).toEqual([flat, search, unknown])
  })

  test.each([[undefined], [null]])('case 53: parameters %o are an empty object schema', (parameters) => {
    expect(toolsOf({ type: 'function', function: { name: 'f', parameters } })).toEqual([
      { type: 'function', name: 'f', parameters: { type: 'object', properties: {} }, strict: false },
    ])
  })

  test('case 53, 55: a strict function without parameters gets a schema that may be strict', () => {
    const parameters = { type: 'object', properties: {}, required: [], additionalProperties: false }
    const sent = toolsOf({ type: 'function', function: { name: 'f', strict: true } })
    expect(sent).toEqual([{ type: 'function', name: 'f', parameters, strict: true }])
    expect(toolsOf({ type: 'function', function: { name: 'f', strict: true, parameters } })).toEqual(sent)
  })

  describe('case 55: a strict function with a schema that cannot be strict is refused', () => {
    const refusal = (parameters: object) =>
      refusalOf(() => toolsOf({ type: 'function', function: { name: 'f', parameters, strict: true } }))

    test('a property that is not required, in the words of the API', () => {
      const properties = { location: { type: 'string' }, unit: { type: 'string' } }
      const parameters = { type: 'object', properties, required: ['location'], additionalProperties: false }
      expect(refusal(parameters)).toMatchObject({
        status: 400,
        code: 'invalid_function_parameters',
        param: 'tools[0].function.parameters',
        message:
          "Invalid schema for function 'f': In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'unit'.",
      })
    })

    test('additional properties, also deep inside', () => {
      expect(refusal(PARAMETERS).message).toContain("In context=(), 'additionalProperties' is required")
      const outer = (inner: object) => ({
        type: 'object',
        properties: { a: inner },
        required: ['a'],
        additionalProperties: false,
      })
      const faulty = { type: 'object', properties: {} }
      expect(refusal(outer(faulty)).message).toContain("context=('properties', 'a')")
      expect(refusal(outer({ type: 'array', items: faulty })).message).toContain("context=('properties', 'a', 'items')")
      expect(refusal(outer({ anyOf: [{ type: 'null' }, faulty] })).message).toContain("'anyOf', '1'")
      expect(refusal({ ...outer({}), $defs: { x: faulty } }).message).toContain("('$defs', 'x')")
      const inner = refusal(outer({ $defs: { x: { items: outer(faulty) } } })).message
      expect(inner).toContain("context=('properties', 'a', '$defs', 'x', 'items', 'properties', 'a')")
      expect(refusal({ type: 'array', items: faulty }).message).toContain("context=('items',)")
    })

    test('a fault deeper than upstream takes schemas is left to it', () => {
      const within = (depth: number): object =>
        depth === 0 ? { type: 'object', properties: {} } : { type: 'array', items: within(depth - 1) }
      expect(refusal(within(64)).code).toBe('invalid_function_parameters')
      const parameters = within(65)
      expect(toolsOf({ type: 'function', function: { name: 'f', parameters, strict: true } })).toHaveLength(1)
    })

    test('the same schema is fine when not strict', () => {
      expect(toolsOf(WEATHER)).toHaveLength(1)
    })
  })

  test('case 56: schemas are passed as they are', () => {
    const parameters = {
      $defs: { x: {} },
      type: ['object', 'null'],
      cache_control: 1,
      properties: { cache_control: {} },
    }
    expect(toolsOf({ type: 'function', function: { name: 'f', parameters } })).toMatchObject([{ parameters }])
  })

  test('case 57, 69: no tools are invented, an empty list stays', () => {
    for (const fields of [{}, { tools: null }, { tool_choice: 'auto' }, { functions: [] }]) {
      expect(JSON.stringify(convertChat(fields).request)).not.toContain('"tools"')
    }
    expect(toolsOf()).toEqual([])
  })

  test('case 58, 59, 61: names pass as they are', () => {
    const name = `mcp.server/tool:${'x'.repeat(80)}`
    expect(toolsOf({ type: 'function', function: { name } })).toMatchObject([{ name }])
  })

  test.each([
    ['an empty name', { type: 'function', function: { name: '' } }, 'tools[0].function.name', 'invalid_value'],
    ['no name', { type: 'function', function: {} }, 'tools[0].function.name', 'missing_required_parameter'],
    ['no function', { type: 'function' }, 'tools[0].function', 'missing_required_parameter'],
    ['no custom tool', { type: 'custom' }, 'tools[0].custom', 'missing_required_parameter'],
    ['a function that is none', { type: 'function', function: 'f' }, 'tools[0].function', 'invalid_type'],
    [
      'a format that is none',
      { type: 'custom', custom: { name: 'f', format: 'text' } },
      'tools[0].custom.format',
      'invalid_type',
    ],
    [
      'a grammar that is none',
      { type: 'custom', custom: { name: 'f', format: { type: 'grammar', grammar: 'a' } } },
      'tools[0].custom.format.grammar',
      'invalid_type',
    ],
    [
      'no grammar',
      { type: 'custom', custom: { name: 'f', format: { type: 'grammar' } } },
      'tools[0].custom.format.grammar',
      'missing_required_parameter',
    ],
    ['an empty name in Responses form', { type: 'function', name: '' }, 'tools[0].name', 'invalid_value'],
    ['no type', { function: { name: 'f' } }, 'tools[0].type', 'missing_required_parameter'],
    [
      'a custom tool without a name',
      { type: 'custom', custom: {} },
      'tools[0].custom.name',
      'missing_required_parameter',
    ],
    [
      'parameters that are no object',
      { type: 'function', function: { name: 'f', parameters: [] } },
      'tools[0].function.parameters',
      'invalid_type',
    ],
    [
      'strict that is no switch',
      { type: 'function', function: { name: 'f', strict: 1 } },
      'tools[0].function.strict',
      'invalid_type',
    ],
    [
      'an unknown grammar',
      { type: 'custom', custom: { name: 'f', format: { type: 'x' } } },
      'tools[0].custom.format.type',
      'invalid_value',
    ],
  ])('case 60: %s is refused at its exact place', (_name, tool, param, code) => {
    expect(refusalOf(() => toolsOf(tool))).toMatchObject({ status: 400, param, code })
  })

  test('case 62: a custom tool is flattened with its grammar', () => {
    const grammar = { syntax: 'lark', definition: 'start: "a"' }
    const custom = { name: 'math', description: 'Math.', format: { type: 'grammar', grammar } }
    expect(
      toolsOf({ type: 'custom', custom }, { type: 'custom', custom: { name: 't', format: { type: 'text' } } }),
    ).toEqual([
      { type: 'custom', name: 'math', description: 'Math.', format: { type: 'grammar', ...grammar } },
      { type: 'custom', name: 't', format: { type: 'text' } },
    ])
    const flat = { type: 'custom', name: 'math', format: { type: 'grammar', syntax: 'regex', definition: 'a+' } }
    expect(toolsOf(flat)).toEqual([flat])
    const { type, ...half } = flat
    expect(toolsOf({ type, custom: half })).toEqual([flat])
  })

  test.each(['web_search_preview', 'web_search_preview_2025_03_11'])('case 65: %s is web_search', (type) => {
    expect(toolsOf({ type, search_context_size: 'low' })).toEqual([{ type: 'web_search', search_context_size: 'low' }])
  })

  test('case 65: web_search_options ask for the search tool', () => {
    const location = { type: 'approximate', approximate: { city: 'Paris', country: 'FR' } }
    const options = { search_context_size: 'high', user_location: location }
    expect(convertChat({ web_search_options: options, tools: [WEATHER] }).request.tools).toMatchObject([
      { name: 'weather' },
      {
        type: 'web_search',
        search_context_size: 'high',
        user_location: { type: 'approximate', city: 'Paris', country: 'FR' },
      },
    ])
    expect(convertChat({ web_search_options: {} }).request.tools).toEqual([{ type: 'web_search' }])
    const both = convertChat({ web_search_options: {}, tools: [{ type: 'web_search' }] })
    expect(both.request.tools).toHaveLength(1)
    expect(both.plan.ignored).toEqual(['web_search_options'])
  })

  test('case 65: the search tool knows how much and where to search, as far as it is told', () => {
    const approximate = { region: 'Île-de-France', timezone: 'Europe/Paris' }
    const options = { search_context_size: 'medium', user_location: { type: 'approximate', approximate } }
    expect(convertChat({ web_search_options: options }).request.tools).toEqual([
      { type: 'web_search', search_context_size: 'medium', user_location: { type: 'approximate', ...approximate } },
    ])
  })

  test('case 65: a location in Responses form is taken too', () => {
    const user_location = { type: 'approximate', city: 'Paris' }
    expect(convertChat({ web_search_options: { user_location } }).request.tools).toEqual([
      { type: 'web_search', user_location },
    ])
  })

  test.each([
    ['Paris', 'user_location', 'invalid_type'],
    [{ type: 'exact' }, 'user_location.type', 'invalid_value'],
    [{ approximate: 'Paris' }, 'user_location.approximate', 'invalid_type'],
  ])('the location %j is refused at its exact place', (user_location, param, code) => {
    const refusal = refusalOf(() => convertChat({ web_search_options: { user_location } }))
    expect(refusal).toMatchObject({ param: `web_search_options.${param}`, code })
  })

  test('case 60: an empty name is refused in the words of the API', () => {
    expect(refusalOf(() => toolsOf({ type: 'function', function: { name: '' } })).message).toBe(
      "Invalid 'tools[0].function.name': empty string. Expected a string with minimum length 1, but got an empty string instead.",
    )
  })

  test.each(['file_search', 'code_interpreter', 'computer_use', 'computer_use_preview'])(
    'case 66: the hosted tool %s is refused',
    (type) => {
      expect(refusalOf(() => toolsOf({ type }))).toEqual({
        status: 400,
        code: 'unsupported_value',
        param: 'tools[0].type',
        message: `Unsupported value: tools of type '${type}' are not supported with a ChatGPT login.`,
      })
    },
  )

  test.each(['computer', 'shell', 'apply_patch'])(
    'the tool %s is refused: a call of it could not be told in Chat, and the answer would be empty',
    (type) => {
      expect(refusalOf(() => toolsOf({ type }))).toEqual({
        status: 400,
        code: 'unsupported_value',
        param: 'tools[0].type',
        message: `Unsupported value: tools of type '${type}' are not supported by Chat Completions. /v1/responses passes them on.`,
      })
    },
  )

  test('docs/conversion.md names the types that are refused', () => {
    const { note } = CHAT_FIELDS.tools
    const types = [...ABSENT_HOSTED_TOOLS, ...UNCALLABLE_TOOLS.keys()]
    expect(types.filter((type) => !note.includes(`\`${type}\``))).toEqual([])
  })

  test.each([
    [{ type: 'tool_search', execution: 'client' }, "with execution 'client'"],
    [{ type: 'mcp' }, "without require_approval 'never'"],
    [{ type: 'mcp', require_approval: null }, "without require_approval 'never'"],
    [{ type: 'mcp', require_approval: 'always' }, "without require_approval 'never'"],
  ])('the tool %j is refused, but not all of its type', (tool, which) => {
    expect(refusalOf(() => toolsOf(tool))).toMatchObject({
      param: 'tools[0].type',
      message: `Unsupported value: tools of type '${tool.type}' ${which} are not supported by Chat Completions. /v1/responses passes them on.`,
    })
  })

  test.each([
    { type: 'shell', environment: { type: 'container_auto' } },
    { type: 'tool_search' },
    { type: 'tool_search', execution: 'server' },
    { type: 'mcp', require_approval: 'never' },
    { type: 'mcp', require_approval: { never: { tool_names: ['search'] } } },
  ])('the tool %j is passed: upstream runs it', (tool) => {
    expect(toolsOf(tool)).toEqual([tool])
  })

  test('case 8: cache hints on tools are not sent', () => {
    expect(toolsOf({ type: 'web_search', cache_control: {} })).toEqual([{ type: 'web_search' }])
    const hinted = { type: 'function', function: { name: 'f', cache_control: {} }, cache_control: {} }
    expect(Object.keys(toolsOf(hinted) as object[]).length).toBe(1)
    expect(JSON.stringify(toolsOf(hinted))).not.toContain('cache_control')
  })
})

test.each([
  [{ tools: [{ ...WEATHER, defer_loading: true }] }, 'tools[0].defer_loading'],
  [{ tools: [WEATHER, { type: 'function', function: { name: 'f', example: {} } }] }, 'tools[1].function.example'],
  [{ tools: [{ type: 'custom', custom: { name: 'f' }, name: 'g' }] }, 'tools[0].name'],
  [{ tools: [{ type: 'custom', custom: { name: 'f', strict: true } }] }, 'tools[0].custom.strict'],
  [
    { tools: [{ type: 'custom', custom: { name: 'f', format: { type: 'text', max_length: 9 } } }] },
    'tools[0].custom.format.max_length',
  ],
  [
    {
      tools: [
        {
          type: 'custom',
          custom: { name: 'f', format: { type: 'grammar', grammar: { syntax: 'regex', definition: 'a', flags: 'i' } } },
        },
      ],
    },
    'tools[0].custom.format.grammar.flags',
  ],
  [{ functions: [{ name: 'f', example: {} }] }, 'functions[0].example'],
  [{ web_search_options: { filters: {} } }, 'web_search_options.filters'],
  [
    { web_search_options: { user_location: { radius: 1, approximate: {} } } },
    'web_search_options.user_location.radius',
  ],
  [
    { web_search_options: { user_location: { approximate: { radius: 1 } } } },
    'web_search_options.user_location.approximate.radius',
  ],
])('case 11: what a tool has no place for is reported: %j', (fields, name) => {
  expect(convertChat(fields).plan.ignored).toEqual([name])
  expect(refusalOf(() => convertChat(fields, { strict: true }))).toMatchObject({
    code: 'unsupported_parameter',
    param: name,
  })
})

test('case 8, 11: what asks for nothing, and cache hints, which upstream does not need, are not reported', () => {
  const tool = { type: 'function', function: { name: 'f', example: null, cache_control: {} }, cache_control: {} }
  expect(convertChat({ tools: [tool] }).plan.ignored).toEqual([])
})

test('case 63: the answer knows whether the client has custom tools', () => {
  const knows = (tools: object[]) => convertChat({ tools }).plan.knowsCustomCalls
  expect(knows([WEATHER, { type: 'custom', custom: { name: 'grep' } }])).toBe(true)
  expect(knows([WEATHER])).toBe(false)
})

describe('legacy functions', () => {
  const functions = [{ name: 'weather', parameters: PARAMETERS }]

  test('case 72: functions are tools, one call at a time, and the answer is legacy too', () => {
    const { request, plan } = convertChat({ functions })
    expect(request).toMatchObject({
      tools: [{ type: 'function', name: 'weather', parameters: PARAMETERS, strict: false }],
      parallel_tool_calls: false,
    })
    expect(plan.legacyFunctions).toBe(true)
    for (const fields of [{ tools: [WEATHER] }, {}]) expect(convertChat(fields).plan.legacyFunctions).toBe(false)
  })

  test.each([
    ['auto', 'auto'],
    ['none', 'none'],
    [{ name: 'weather' }, { type: 'function', name: 'weather' }],
  ])('case 72: function_call %o', (given, sent) => {
    expect(convertChat({ functions, function_call: given }).request.tool_choice).toEqual(sent)
  })

  test.each([
    [{ functions, tools: [WEATHER] }, 'functions'],
    [{ functions, function_call: { name: 'nobody' } }, 'function_call'],
    [{ functions, function_call: 'required' }, 'function_call'],
    [{ functions, function_call: {} }, 'function_call.name'],
    [{ functions, function_call: 7 }, 'function_call'],
    [{ functions: [{}] }, 'functions[0].name'],
  ])('%o is refused', (fields, param) => {
    expect(refusalOf(() => convertChat(fields))).toMatchObject({ status: 400, param })
  })

  test('function_call beside tool_choice is reported', () => {
    const { request, plan } = convertChat({ functions, tool_choice: 'required', function_call: 'auto' })
    expect(request.tool_choice).toBe('required')
    expect(plan.ignored).toEqual(['function_call'])
  })
})

test('case 73: parallel_tool_calls is passed, but not without tools', () => {
  const parallel = (fields: object) => convertChat(fields).request.parallel_tool_calls
  expect(parallel({ tools: [WEATHER], parallel_tool_calls: false })).toBe(false)
  expect(parallel({ tools: [WEATHER], parallel_tool_calls: true })).toBe(true)
  expect(parallel({ tools: [WEATHER] })).toBeUndefined()
  expect(parallel({ parallel_tool_calls: false })).toBeUndefined()
  expect(parallel({ tools: [], parallel_tool_calls: false })).toBeUndefined()
  expect(convertChat({ parallel_tool_calls: false }).plan.ignored).toEqual([])
})

test('case 73: parallel_tool_calls that is no switch is refused, without tools too', () => {
  expect(refusalOf(() => convertChat({ parallel_tool_calls: 'no' }))).toMatchObject({ param: 'parallel_tool_calls' })
})
