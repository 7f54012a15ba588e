import { expect, test } from 'vitest'
import { convertChat, refusalOf } from '../../../../test/support/converted-requests.ts'

const WEATHER = { type: 'function', function: { name: 'weather' } }
const GREP = { type: 'custom', custom: { name: 'grep' } }

const choiceOf = (tool_choice: unknown, tools: unknown[] = [WEATHER, GREP]) =>
  convertChat({ tools, tool_choice }).request.tool_choice

test.each(['auto', 'none', 'required'])('case 70: %s is passed', (word) => {
  expect(choiceOf(word)).toBe(word)
})

test.each([
  [
    { type: 'function', function: { name: 'weather' } },
    { type: 'function', name: 'weather' },
  ],
  [
    { type: 'function', name: 'weather' },
    { type: 'function', name: 'weather' },
  ],
  [
    { type: 'custom', custom: { name: 'grep' } },
    { type: 'custom', name: 'grep' },
  ],
  [
    { type: 'function', function: { name: 'grep' } },
    { type: 'custom', name: 'grep' },
  ],
  [
    { type: 'function', name: 'nobody', function: { name: 'weather' } },
    { type: 'function', name: 'weather' },
  ],
])('case 70: %o is flattened', (given, sent) => {
  expect(choiceOf(given)).toEqual(sent)
})

test('case 70: allowed tools are flattened', () => {
  const tools = [
    { type: 'function', function: { name: 'weather' } },
    { type: 'custom', custom: { name: 'grep' } },
  ]
  const sent = {
    type: 'allowed_tools',
    mode: 'required',
    tools: [
      { type: 'function', name: 'weather' },
      { type: 'custom', name: 'grep' },
    ],
  }
  expect(choiceOf({ type: 'allowed_tools', allowed_tools: { mode: 'required', tools } })).toEqual(sent)
  expect(choiceOf(sent)).toEqual(sent)
})

test('case 65: a hosted tool is chosen by its present name', () => {
  expect(choiceOf({ type: 'web_search_preview' }, [{ type: 'web_search' }])).toEqual({ type: 'web_search' })
})

test('case 70: the choice of a hosted tool is passed with all it says', () => {
  const choice = { type: 'mcp', server_label: 'docs', name: 'search' }
  expect(choiceOf(choice, [{ type: 'mcp', server_label: 'docs', require_approval: 'never' }])).toEqual(choice)
})

test('case 67: nobody can be forced to make an image', () => {
  const fields = { tools: [{ type: 'image_generation' }], tool_choice: { type: 'image_generation' } }
  const { request, plan } = convertChat(fields)
  expect(request.tool_choice).toBe('auto')
  expect(plan.ignored).toEqual(['tool_choice'])
  expect(refusalOf(() => convertChat(fields, { strict: true })).param).toBe('tool_choice')
})

test('case 68: a forced search with filters is the only allowed tool, any other choice stays one', () => {
  const search = { type: 'web_search', filters: { allowed_domains: ['a.example'] } }
  const tools = [{ type: 'function', name: 'weather' }, search]
  expect(choiceOf({ type: 'web_search' }, tools)).toEqual({
    type: 'allowed_tools',
    mode: 'required',
    tools: [{ type: 'web_search' }],
  })
  expect(choiceOf({ type: 'function', name: 'weather' }, tools)).toEqual({ type: 'function', name: 'weather' })
  const filtersElsewhere = [{ type: 'web_search' }, { type: 'vendor:tool', filters: {} }]
  expect(choiceOf({ type: 'web_search' }, filtersElsewhere)).toEqual({ type: 'web_search' })
})

test.each(['function', 'custom'])('case 70: of two tools of one name the %s that is named is chosen', (type) => {
  const choice = { type, name: 'grep' }
  expect(
    choiceOf(choice, [
      { type: 'custom', name: 'grep' },
      { type: 'function', name: 'grep' },
    ]),
  ).toEqual(choice)
})

test.each([
  [{ type: 'function', function: { name: 'nobody' } }, 'tool_choice'],
  [{ type: 'web_search' }, 'tool_choice'],
  [
    { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', name: 'nobody' }] } },
    'tool_choice.allowed_tools.tools[0]',
  ],
])('case 71: the choice of an undeclared tool is refused: %o', (choice, param) => {
  expect(refusalOf(() => choiceOf(choice))).toMatchObject({
    code: 'invalid_value',
    param,
    message: expect.stringMatching(/was specified in the 'tools' parameter/),
  })
})

test('case 71: the legacy choice of an undeclared function names the legacy list', () => {
  const body = { functions: [{ name: 'weather' }], function_call: { name: 'nobody' } }
  expect(refusalOf(() => convertChat(body))).toMatchObject({
    param: 'function_call',
    message: expect.stringMatching(/no function named 'nobody' was specified in the 'functions' parameter/),
  })
})

test.each([
  [{ type: 'function', function: { name: 'weather' }, name: 'x', other: 1 }, ['name', 'other']],
  [{ type: 'function', function: { name: 'weather', other: 1 } }, ['function.other']],
  [{ type: 'function', name: 'weather', other: 1 }, ['other']],
  [
    { type: 'allowed_tools', other: 1, allowed_tools: { mode: 'auto', tools: [], more: 1 } },
    ['other', 'allowed_tools.more'],
  ],
])('case 11: what a choice has no place for is reported: %j', (tool_choice, names) => {
  const { plan } = convertChat({ tools: [WEATHER], tool_choice })
  expect(plan.ignored).toEqual(names.map((name) => `tool_choice.${name}`))
})

test.each([
  ['sometimes', 'tool_choice', 'invalid_value'],
  [7, 'tool_choice', 'invalid_type'],
  [[], 'tool_choice', 'invalid_type'],
  [{}, 'tool_choice.type', 'missing_required_parameter'],
  [{ type: 'function' }, 'tool_choice.function', 'missing_required_parameter'],
  [{ type: 'allowed_tools' }, 'tool_choice.allowed_tools', 'missing_required_parameter'],
  [{ type: 'allowed_tools', allowed_tools: 'auto' }, 'tool_choice.allowed_tools', 'invalid_type'],
  [{ type: 'allowed_tools', allowed_tools: { mode: 'x' } }, 'tool_choice.allowed_tools.mode', 'invalid_value'],
  [
    { type: 'allowed_tools', allowed_tools: { mode: 'auto' } },
    'tool_choice.allowed_tools.tools',
    'missing_required_parameter',
  ],
  [
    { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: ['weather'] } },
    'tool_choice.allowed_tools.tools[0]',
    'invalid_type',
  ],
])('the choice %o is refused at its exact place', (choice, param, code) => {
  expect(refusalOf(() => choiceOf(choice))).toMatchObject({ param, code })
})
