import { expect, test } from 'vitest'
import { convertChat } from '../../../test/support/converted-requests.ts'
import { toLiteRequest } from './lite-request.ts'

const IMAGE = { type: 'image_url', image_url: { url: 'https://a.example/b.png', detail: 'high' } }
const FIELDS = {
  model: 'gpt-6.1-sol',
  reasoning_effort: 'high',
  parallel_tool_calls: true,
  tools: [{ type: 'function', function: { name: 'f' } }],
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [IMAGE] },
    { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'a', content: [IMAGE] },
  ],
}

test('case 190, 191: tools and instructions become items, one call at a time, no image detail', () => {
  const { request } = convertChat(FIELDS)
  const lite = toLiteRequest(request)
  const image = { type: 'input_image', image_url: 'https://a.example/b.png' }
  expect(lite).toEqual({
    model: 'gpt-6.1-sol',
    input: [
      {
        type: 'additional_tools',
        id: expect.stringMatching(/^at_[0-9a-f]{32}$/),
        role: 'developer',
        tools: request.tools,
      },
      {
        type: 'message',
        id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
        role: 'developer',
        content: [{ type: 'input_text', text: 'Be brief.' }],
      },
      { type: 'message', role: 'user', content: [image] },
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: [image] },
    ],
    parallel_tool_calls: false,
    reasoning: { effort: 'high', summary: 'auto', context: 'all_turns' },
    prompt_cache_key: request.prompt_cache_key,
    include: ['reasoning.encrypted_content'],
    store: false,
    stream: true,
  })
  expect(JSON.stringify(toLiteRequest(convertChat(FIELDS).request))).toBe(JSON.stringify(lite))
})

test('case 190: what is not there is not made up', () => {
  const { request } = convertChat({}, { reasoningSummary: false })
  const lite = toLiteRequest(request)
  expect(lite.input).toEqual([expect.objectContaining({ type: 'additional_tools', tools: [] }), ...request.input])
  expect(lite.reasoning).toEqual({ context: 'all_turns' })
  expect(lite).not.toHaveProperty('instructions')
})

test('case 190: only images lose their detail', () => {
  const { request } = convertChat({})
  const output = [{ type: 'input_file', file_id: 'file-1', detail: 'high' }, 'text']
  const input = [{ type: 'function_call_output', call_id: 'a', output }]
  expect(toLiteRequest({ ...request, input }).input.slice(1)).toEqual(input)
})

test('the request itself stays as it was', () => {
  const { request } = convertChat(FIELDS)
  const before = JSON.stringify(request)
  toLiteRequest(request)
  expect(JSON.stringify(request)).toBe(before)
})
