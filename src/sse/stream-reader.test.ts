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
