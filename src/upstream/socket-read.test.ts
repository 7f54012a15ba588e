import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { bytesOf, ReadGatherer, type SocketRead } from './socket-read.ts'

/** Of this turn; its own work may come after ours. */
const endOfTurn = async () => {
  await nextTurn()
  await nextTurn()
}

/** Gathers reads; what each is, as text of its ranges. */
function gather() {
  const reads: SocketRead[] = []
  const textsOf = ({ memory, ranges }: SocketRead) =>
    ranges.flatMap((start, i) => (i % 2 === 0 ? [memory.toString('latin1', start, ranges[i + 1])] : []))
  return { gathered: new ReadGatherer((read) => reads.push(read)), reads, texts: () => reads.map(textsOf) }
}

test('views into one read come out together, in order, at the end of the turn', async () => {
  const { gathered, reads, texts } = gather()
  const memory = Buffer.from('5\r\nfirst\r\n6\r\nsecond\r\n')
  gathered.add(memory.subarray(3, 8))
  gathered.add(memory.subarray(13, 19))
  gathered.add(Buffer.from(new Uint8Array(Buffer.from('third')).buffer))
  await endOfTurn()
  expect(texts()).toEqual([['first', 'second'], ['third']])
  expect(reads.map((read) => bytesOf(read).toString())).toEqual(['firstsecond', 'third'])
})

test('views that touch are of one read, and are waited for once', async () => {
  const { gathered, texts } = gather()
  const waiting = vi.spyOn(process, 'nextTick')
  const memory = Buffer.from('onetwo')
  gathered.add(memory.subarray(0, 3))
  gathered.add(memory.subarray(3, 6))
  expect(waiting).toHaveBeenCalledOnce()
  waiting.mockRestore()
  await endOfTurn()
  expect(texts()).toEqual([['one', 'two']])
})

test('memory that is used again for a later read is not taken for the same read', async () => {
  const { gathered, texts } = gather()
  const memory = Buffer.from('one two')
  gathered.add(memory.subarray(4, 7))
  gathered.add(memory.subarray(0, 3))
  await endOfTurn()
  expect(texts()).toEqual([['two'], ['one']])
})

test('what is flushed comes at once, and not again at the end of the turn', async () => {
  const { gathered, texts } = gather()
  gathered.add(Buffer.from('now'))
  gathered.flush()
  expect(texts()).toEqual([['now']])
  await endOfTurn()
  expect(texts()).toEqual([['now']])
})
