import { expect, test, vi } from 'vitest'
import type { AnswerBody } from './answer.ts'
import { readBody } from './read-body.ts'

const LIMIT = 10

/** A body of so many bytes, in pieces of one. */
function bodyOf(length: number): { body: AnswerBody; abort: () => void } {
  const abort = vi.fn()
  const body: Partial<AnswerBody> = {
    abort,
    pipe(sink) {
      for (let i = 0; i < length; i++) sink.data({ memory: Buffer.from('x'), ranges: [0, 1] })
      sink.end()
    },
  }
  return { body: body as AnswerBody, abort }
}

test('a body as long as the limit is read whole', async () => {
  const { body, abort } = bodyOf(LIMIT)
  expect(String(await readBody(body, LIMIT))).toBe('x'.repeat(LIMIT))
  expect(abort).not.toHaveBeenCalled()
})

test('a longer body is an error, and not read to its end', async () => {
  const { body, abort } = bodyOf(LIMIT + 1)
  await expect(readBody(body, LIMIT)).rejects.toMatchObject({ code: 'upstream_invalid' })
  expect(abort).toHaveBeenCalledOnce()
})
