import { expect, test } from 'vitest'
import { howToEnd, whereStarted } from './unlisted-server.ts'

test('a server whose process is not known is ended where it was started', () => {
  expect(howToEnd(undefined)).toBe(`Stop it ${whereStarted('stop')}`)
  expect(howToEnd(7)).toMatch(/^Stop it where it was started.*; .* run `.*7`$/)
})
