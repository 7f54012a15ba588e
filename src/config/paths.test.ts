import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { homeFolder } from './paths.ts'

afterEach(() => vi.unstubAllEnvs())

test.each([
  ['an absolute one', '/home/someone', '/home/someone'],
  ['a relative one is made absolute', 'someone', resolve('someone')],
  ['an empty one counts as none: the user database knows', '', userInfo().homedir],
])('HOME: %s', (_name, given, expected) => {
  vi.stubEnv('HOME', given)
  expect(homeFolder()).toBe(expected)
})
