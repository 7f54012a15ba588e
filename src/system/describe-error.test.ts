import { expect, test } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { describeError, withRemedy } from './describe-error.ts'

test('a file that somebody holds is told in words, with what to do', async () => {
  const failure = new Promise(failWith('EBUSY')).catch((error: Error) => {
    throw Object.assign(error, { path: 'C:\\log' })
  })
  await expect(failure.catch(withRemedy('Choose another.'))).rejects.toThrow(
    "Can't use C:\\log: it is busy or locked. Choose another.",
  )
})

test('what is no error of a file keeps its words', () => {
  expect([new Error('as it is'), 'text'].map(describeError)).toEqual(['as it is', 'text'])
})
