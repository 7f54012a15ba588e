import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { failWith } from '../../test/support/fail-with.ts'
import { describeError, withRemedy } from './describe-error.ts'
import { codeOf } from './error-code.ts'

test('a file that somebody holds is told in words, with what to do', async () => {
  const failure = new Promise(failWith('EBUSY')).catch((error: Error) => {
    throw Object.assign(error, { path: 'C:\\log' })
  })
  await expect(failure.catch(withRemedy('Choose another.'))).rejects.toThrow(
    "Can't use C:\\log: it is busy or locked. Choose another.",
  )
})

test('an error that Node has no name for is told by that of the system', () => {
  const unnamed = (number: number) =>
    Object.assign(new Error('Unknown'), { code: `Unknown system error -${number}`, path: '/home' })
  expect(codeOf(unnamed(constants.errno.EDQUOT))).toBe('EDQUOT')
  expect(describeError(unnamed(constants.errno.EDQUOT))).toBe("Can't use /home: your disk quota is used up.")
  expect(codeOf(unnamed(9999))).toBe('system error 9999')
})

test('so is one of a synchronous function, which names only its number', () => {
  const unnamed = (errno: number) =>
    Object.assign(new Error('UNKNOWN: unknown error, write'), { code: 'UNKNOWN', errno })
  expect(codeOf(unnamed(-constants.errno.EDQUOT))).toBe('EDQUOT')
  // What Node itself has no number for.
  expect(codeOf(unnamed(-4094))).toBe('UNKNOWN')
})

test('a failure with a file that has no words of its own is told by its code', () => {
  const failure = (code: string) => Object.assign(new Error(`${code}: x, open '/log'`), { code, path: '/log' })
  expect(describeError(failure('EMLINK'))).toBe("Can't use /log: EMLINK.")
  expect(describeError(failure('ELOOP'))).toBe("Can't use /log: its symbolic links form a loop.")
})

test('what is no error of a file keeps its words', () => {
  expect([new Error('as it is'), 'text'].map(describeError)).toEqual(['as it is', 'text'])
})
