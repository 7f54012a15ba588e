import { expect, test } from 'vitest'
import { answer, callItem, event } from '../../../test/support/answers.ts'

/** If each item were looked for among all others, this many would take longer than a test may. */
const MANY = 100_000
const numbers = Array.from({ length: MANY }, (_, index) => index)

test('of very many calls each gets its own arguments and the reasoning before it', () => {
  const events = numbers.flatMap((each) => {
    const thought = { type: 'reasoning', summary: [{ text: 'Hm.' }], encrypted_content: `gAAAA${each}` }
    const [before, index] = [2 * each, 2 * each + 1]
    return [
      event.reasoning(before, 0, 'Hm.'),
      event.done(before, thought),
      event.added(index, callItem(`call_${each}`, '')),
      event.arguments(index, `{"a":${each}}`),
      event.done(index, callItem(`call_${each}`, `{"a":${each}}`)),
    ]
  })
  const { completion, stream } = answer([...events, event.completed()])
  const calls = completion.choices[0]?.message.tool_calls ?? []
  expect(calls).toHaveLength(MANY)
  expect(calls.at(-1)).toMatchObject({ id: 'call_99999', function: { arguments: '{"a":99999}' } })
  expect(stream.reasonedCalls).toHaveLength(MANY)
  expect(stream.reasonedCalls.at(-1)).toMatchObject({ items: [{ encrypted_content: 'gAAAA99999' }] })
})

test('of very many calls that the last event lists in another order each gets its own arguments', () => {
  const begun = numbers.map((each) => event.added(each, callItem(`call_${each}`, '')))
  const output = numbers.map((each) => callItem(`call_${each}`, `{"a":${each}}`)).reverse()
  const { completion } = answer([...begun, event.completed({ output })])
  const calls = completion.choices[0]?.message.tool_calls ?? []
  expect(calls).toHaveLength(MANY)
  expect(calls.at(-1)).toMatchObject({ id: 'call_99999', function: { arguments: '{"a":99999}' } })
})
