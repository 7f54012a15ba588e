import { expect, test } from 'vitest'
import { answerProblem, textProblem } from '../../bench/answer-check.ts'
import { answerDelta, answerEnd, answerStart, wholeAnswer } from '../../bench/answer-events.ts'
import { DEFAULT_ORDER, deltaText, findOrder, type Order, orderText } from '../../bench/order.ts'

// What the soak and the bench take for right and for wrong: were this too kind, they would show nothing.

const ORDER: Order = { ...DEFAULT_ORDER, deltas: 3, says: 'owner', owner: 'mine' }
const OTHER: Order = { ...ORDER, owner: 'theirs' }

const answer = (deltas: readonly string[], end: readonly Buffer[] = [answerEnd(deltas.join(''), deltas.length)]) =>
  Buffer.concat([answerStart(), Buffer.from(deltas.map(answerDelta).join('')), ...end])
const deltas = (order: Order, ...numbers: number[]) => numbers.map((number) => deltaText(order, number))

test('the answer that was ordered is right', () => {
  expect(answerProblem('responses', wholeAnswer(ORDER), ORDER)).toBeUndefined()
})

test.each([
  ['of another stream', [...deltas(ORDER, 0, 1), ...deltas(OTHER, 2)], 'delta 2 is "^theirs.2 "'],
  ['twice', deltas(ORDER, 0, 0, 1), 'delta 1 is "^mine.0 "'],
  ['missing', deltas(ORDER, 0, 2), '2 deltas came instead of 3'],
])('a delta %s is found', (_, sent, problem) => {
  expect(answerProblem('responses', answer(sent), ORDER)).toBe(problem)
})

test('an answer without its last event is found', () => {
  const cut = answer(deltas(ORDER, 0, 1, 2), [Buffer.from('0\r\n\r\n')])
  expect(answerProblem('responses', cut, ORDER)).toBe('the stream has no proper end')
})

test('an answer that was cut may end after any delta, but holds none of another', () => {
  expect(textProblem('^mine.0 ', ORDER, false)).toBeUndefined()
  expect(textProblem('^mine.0 ^theirs.1 ^mine.2 ', ORDER, false)).toBe('delta 1 is "^theirs.1 "')
})

test('an order is found in a prompt, however it is wrapped', () => {
  const body = JSON.stringify({ input: [{ content: JSON.stringify({ text: `${orderText(OTHER)} Write.` }) }] })
  expect(findOrder(Buffer.from(body))).toEqual(OTHER)
})
