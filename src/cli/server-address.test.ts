import { expect, test } from 'vitest'
import { shownAddress } from './server-address.ts'

test.each([
  ['http://127.0.0.1:8765', 'http://127.0.0.1:8765/v1'],
  ['https://[::]:8765', "https://[::1]:8765/v1 and this machine's other addresses"],
])('%s is shown to people as %s', (url, shown) => {
  expect(shownAddress(url)).toBe(shown)
})
