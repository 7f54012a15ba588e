import { expect, test } from 'vitest'
import { piecesOf, ReadGatherer, type SocketRead } from './socket-read.ts'

const endOfTurn = () => new Promise(setImmediate)
const textsOf = (read: SocketRead) => piecesOf(read).map((piece) => piece.toString())

test('views into one read come out together, in order, at the end of the turn', async () => {
  const reads: SocketRead[] = []
  const gathered = new ReadGatherer((read) => reads.push(read))
  const memory = Buffer.from('5\r\nfirst\r\n6\r\nsecond\r\n')
  gathered.add(memory.subarray(3, 8))
  gathered.add(memory.subarray(13, 19))
  gathered.add(Buffer.from(new Uint8Array(Buffer.from('third')).buffer))
  await endOfTurn()
  expect(reads.map(textsOf)).toEqual([['first', 'second'], ['third']])
})

test('memory that is used again for a later read is not taken for the same read', async () => {
  const reads: string[][] = []
  const gathered = new ReadGatherer((read) => reads.push(textsOf(read)))
  const memory = Buffer.from('one two')
  gathered.add(memory.subarray(4, 7))
  gathered.add(memory.subarray(0, 3))
  await endOfTurn()
  expect(reads).toEqual([['two'], ['one']])
})

test('what is flushed comes at once, and not again at the end of the turn', async () => {
  const reads: string[][] = []
  const gathered = new ReadGatherer((read) => reads.push(textsOf(read)))
  gathered.add(Buffer.from('now'))
  gathered.flush()
  expect(reads).toEqual([['now']])
  await endOfTurn()
  expect(reads).toEqual([['now']])
})
