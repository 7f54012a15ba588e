import { expect, test } from 'vitest'
import { answer, callItem, event, messageItem } from '../../test/support/answers.ts'
import { recordedEvents } from '../../test/support/recorded.ts'

test('encrypted reasoning is known by the call it led to, as the finished item tells it', () => {
  const { stream } = answer(recordedEvents('made-custom-tool-stream'))
  expect(stream.reasonedCalls).toMatchObject([
    { call: { callId: 'call_custom1' }, items: [{ encrypted_content: 'gAAAA-done' }] },
  ])
})

test('reasoning is known by the call as the client was told of it', () => {
  const thought = { type: 'reasoning', summary: [], encrypted_content: 'one' }
  const events = [event.done(0, thought), event.added(1, callItem('call_a', '')), event.arguments(1, '{"a":')]
  const { stream } = answer([...events, event.arguments(1, '1}'), event.completed()])
  expect(stream.reasonedCalls.map(({ call }) => call)).toEqual([{ callId: 'call_a', name: 'lookup', text: '{"a":1}' }])
})

test('reasoning belongs to the first call after it', () => {
  const thought = (text: string) => ({ type: 'reasoning', summary: [], encrypted_content: text })
  const events = [
    event.done(0, thought('one')),
    event.done(1, { type: 'reasoning', summary: [] }),
    event.done(2, thought('two')),
    event.done(3, callItem('call_a', '{}')),
    event.done(4, callItem('call_b', '{}')),
    event.done(5, thought('three')),
    event.done(6, callItem('call_c', '{}')),
    event.done(7, thought('after')),
  ]
  // By output index, whichever is whole first.
  for (const told of [events, events.toReversed()]) {
    const { stream } = answer([...told, event.completed()])
    const byCall = stream.reasonedCalls.map(({ call, items }) => [
      call.callId,
      items.map((item) => item.encrypted_content),
    ])
    expect(byCall).toEqual([
      ['call_a', ['one', 'two']],
      ['call_c', ['three']],
    ])
  }
})

test('where the text stood among the reasoning is known too, but not what came between calls', () => {
  const thought = (text: string) => ({ type: 'reasoning', summary: [], encrypted_content: text })
  const { stream } = answer([
    event.done(0, thought('one')),
    event.done(1, messageItem('Let me look.', 'commentary')),
    event.done(2, thought('two')),
    event.done(3, callItem('call_a', '{}')),
    event.done(4, thought('three')),
    event.done(5, messageItem('And there.', 'commentary')),
    event.done(6, callItem('call_b', '{}')),
    event.completed(),
  ])
  expect(stream.reasonedCalls.map(({ items }) => items)).toEqual([
    [thought('one'), { type: 'message' }, thought('two')],
    [thought('three')],
  ])
  const plain = [event.done(0, messageItem('Look.')), event.done(1, callItem('call_a', '{}')), event.completed()]
  expect(answer(plain).stream.reasonedCalls).toEqual([])
})

test('reasoning that is not encrypted is not kept: upstream would not know it', () => {
  const thought = { type: 'reasoning', summary: [], encrypted_content: '' }
  const { stream } = answer([event.done(0, thought), event.done(1, callItem('call_a', '{}')), event.completed()])
  expect(stream.reasonedCalls).toEqual([])
})
