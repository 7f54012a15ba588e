import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConversationMemory } from './conversation-memory.ts'

const HOUR = 60 * 60 * 1000
const LIMIT = 100_000
const jsonOf = (value: unknown) => Buffer.from(JSON.stringify(value))

/** A memory in which a turn says one text, and its answer another. */
function setUp(maxBytes?: number) {
  const clock = { now: 0 }
  const memory = new ConversationMemory(() => clock.now, maxBytes)
  const say = (responseId: string, previousId?: string, text = `To ${responseId}`, owner = 'a') => {
    memory.remember({ owner, previousId, request: jsonOf({ model: 'm', input: [text] }) }, responseId, [responseId])
  }
  return { clock, memory, say, recall: (id: string, owner = 'a') => memory.recall(owner, id, LIMIT)?.items }
}

test('a conversation is recalled up to any of its answers, in order, for the same credentials only', () => {
  const { say, recall } = setUp()
  say('1')
  say('2', '1', 'Grüße, 漢字')
  say('3', '2')
  expect(recall('3')).toEqual(['To 1', '1', 'Grüße, 漢字', '2', 'To 3', '3'])
  expect(recall('1')).toEqual(['To 1', '1'])
  expect(recall('3', 'b')).toBeUndefined()
  expect(recall('4')).toBeUndefined()
})

test('the key of the prompt cache is that of the last request', () => {
  const { memory } = setUp()
  const sent = (prompt_cache_key?: string) => jsonOf({ input: [], prompt_cache_key })
  memory.remember({ owner: 'a', previousId: undefined, request: sent('first') }, '1', [])
  memory.remember({ owner: 'a', previousId: '1', request: sent('second') }, '2', [])
  expect(memory.recall('a', '1', LIMIT)?.promptCacheKey).toBe('first')
  expect(memory.recall('a', '2', LIMIT)?.promptCacheKey).toBe('second')
})

test('two may go on from the same answer', () => {
  const { say, recall } = setUp()
  say('1')
  for (const id of ['2a', '2b']) say(id, '1')
  expect(recall('2a')).toEqual(['To 1', '1', 'To 2a', '2a'])
  expect(recall('2b')).toEqual(['To 1', '1', 'To 2b', '2b'])
})

test('what goes on from something forgotten is not kept: it would begin in the middle', () => {
  const { say, recall } = setUp()
  say('2', '1')
  expect(recall('2')).toBeUndefined()
})

test('a conversation whose beginning had to make room is not there, though its end still is', () => {
  const { say, recall } = setUp(3000)
  say('1')
  say('2', '1')
  say('another')
  expect(recall('1')).toBeUndefined()
  expect(recall('2')).toBeUndefined()
  expect(recall('another')).toHaveLength(2)
})

test('an id that upstream hands out twice stands for the later turn, and never mixes conversations', () => {
  const { say, recall } = setUp()
  say('1')
  say('2', '1')
  say('1', undefined, 'Another')
  expect(recall('1')).toEqual(['Another', '1'])
  expect(recall('2')).toBeUndefined()
  say('1', '1')
  expect(recall('1')).toBeUndefined()
})

test('a turn takes the room of what it adds, and the conversation least used goes first', () => {
  const { say, recall } = setUp(4 * 11_000)
  const long = 'x'.repeat(9000)
  say('old', undefined, long)
  say('1', undefined, long)
  say('2', '1', long)
  expect(recall('old')).toHaveLength(2)
  say('3', '2', long)
  expect(recall('3')).toHaveLength(6)
  expect(recall('old')).toHaveLength(2)
  // Who goes on uses all turns of the conversation.
  expect(recall('3')).toHaveLength(6)
  say('4', '3', long)
  expect(recall('old')).toBeUndefined()
  expect(recall('4')).toHaveLength(8)
})

test('the smallest turn takes room too, and so does a long answer', () => {
  const { memory, say, recall } = setUp(5000)
  for (const id of ['1', '2', '3', '4', '5']) say(id)
  expect(['1', '2', '5'].map((id) => recall(id)?.length)).toEqual([undefined, 2, 2])
  memory.remember({ owner: 'a', previousId: undefined, request: jsonOf({}) }, '6', ['x'.repeat(3000)])
  expect(['2', '3', '4', '5', '6'].map((id) => recall(id)?.length)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    1,
  ])
})

test('a conversation counts as if it had been sent, however often it is gone on from', () => {
  const { memory, say } = setUp()
  say('1', undefined, 'x'.repeat(500))
  say('2', '1', 'x'.repeat(500))
  expect(memory.recall('a', '2', 1200)?.items).toHaveLength(4)
  expect(() => memory.recall('a', '2', 1000)).toThrow(expect.objectContaining({ code: 'request_too_large' }))
  expect(memory.recall('a', '1', 1000)?.items).toHaveLength(2)
})

test('a day after it was last used a conversation is forgotten, not before', () => {
  const { clock, say, recall } = setUp()
  say('1')
  clock.now = 23 * HOUR
  say('2', '1')
  expect(recall('2')).toHaveLength(4)
  clock.now = 46 * HOUR
  expect(recall('2')).toHaveLength(4)
  clock.now = 71 * HOUR
  expect(recall('2')).toBeUndefined()
})

test('whatever is said and forgotten, a conversation is recalled whole or not at all', () => {
  const turn = fc.record({ previous: fc.nat(30), length: fc.nat(3000) })
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 30 }), (turns) => {
      const { say, recall } = setUp(12_000)
      const whole = new Map<string, string[]>()
      for (const [at, { previous, length }] of turns.entries()) {
        const before = previous < at ? String(previous) : undefined
        const text = `${at}${'x'.repeat(length)}`
        const items = [...((before && whole.get(before)) || []), text, String(at)]
        whole.set(String(at), items)
        const isKnown = before === undefined || recall(before) !== undefined
        say(String(at), before, text)
        // Each turn takes its texts and less than 1200 bytes more.
        const fits = items.join('').length + (items.length / 2) * 1200 < 12_000
        if (isKnown && fits) expect(recall(String(at))).toEqual(items)
        for (const [id, items] of whole) expect([undefined, items]).toContainEqual(recall(id))
      }
    }),
  )
})
