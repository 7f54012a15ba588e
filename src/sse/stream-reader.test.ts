import { expect, test } from 'vitest'
import { StreamReader } from './stream-reader.ts'

test('what follows the last frame that matters is not handed over, even within the same read', async () => {
  const seen: string[] = []
  const ended = await new Promise<number>((resolve, reject) => {
    const handlers = {
      frames(text: string, from: number, to: number) {
        seen.push(text.slice(from, to))
        if (text.includes('last')) reader.finish()
      },
      batchEnd: () => {},
      ended: () => resolve(seen.length),
      failed: reject,
    }
    const reader: StreamReader = new StreamReader(handlers, 1024)
    const read = Buffer.from('data: first\n\ndata: last\n\ndata: after\n\n')
    reader.data(read.subarray(0, 13))
    reader.data(read.subarray(13, 25))
    reader.data(read.subarray(25))
    reader.end()
  })
  expect(ended).toBe(2)
  expect(seen).toEqual(['data: first\n\n', 'data: last\n\n'])
})

test('the end of a read is told once, after all its frames', async () => {
  const told: string[] = []
  const reader = new StreamReader(
    {
      frames: (text, from, to) => told.push(text.slice(from, to).trim()),
      batchEnd: () => told.push('end of read'),
      ended: () => told.push('ended'),
      failed: () => told.push('failed'),
    },
    1024,
  )
  const read = Buffer.from('data: 1\n\ndata: 2\n\ndata: 3\n\n')
  for (let at = 0; at < read.length; at += 9) reader.data(read.subarray(at, at + 9))
  await new Promise(setImmediate)
  expect(told).toEqual(['data: 1', 'data: 2', 'data: 3', 'end of read'])
})
