import { expect, test } from 'vitest'
import { OPTIONS } from '../config/options.ts'
import { about, fromNow, shownValue } from './shown.ts'

test.each([
  [OPTIONS.maxBody, 2 * 1024 ** 3, '2GB'],
  [OPTIONS.maxBody, 64 * 1024 ** 2, '64MB'],
  [OPTIONS.maxBody, 1536 * 1024, '1536k'],
  [OPTIONS.maxBody, 1025, '1025'],
  [OPTIONS.drainTimeout, 7_200_000, '2h'],
  [OPTIONS.drainTimeout, 5_400_000, '90m'],
  [OPTIONS.drainTimeout, 90_000, '90s'],
  [OPTIONS.drainTimeout, 1500, '1500ms'],
  [OPTIONS.port, 8765, '8765'],
  [OPTIONS.allowOrigin, ['https://a.test', 'file://'], 'https://a.test, file://'],
  [OPTIONS.allowOrigin, [], '-'],
  [OPTIONS.apiKey, undefined, '-'],
  [OPTIONS.apiKey, 'secret', '(set)'],
  [OPTIONS.proxy, 'none', 'none'],
  [OPTIONS.proxy, 'http://127.0.0.1:8118/path', 'http://127.0.0.1:8118'],
  [OPTIONS.proxy, 'socks5://me@127.0.0.1:1080', 'socks5://(login)@127.0.0.1:1080'],
  [OPTIONS.proxy, 'http://:secret@127.0.0.1:8118', 'http://(login)@127.0.0.1:8118'],
])('the value of a setting is shown as a person writes it: $0.flag %j as %s', (option, value, shown) => {
  expect(shownValue(option, value)).toBe(shown)
})

test('times are told in the unit that fits', () => {
  expect([89, 90, 5399, 5400, 36 * 3600 - 1, 36 * 3600].map(about)).toEqual([
    '89 s',
    '2 min',
    '90 min',
    '2 h',
    '36 h',
    '2 days',
  ])
  expect([fromNow(60_000, 0), fromNow(0, 0), fromNow(0, 60_000)]).toEqual(['in 60 s', 'in 0 s', '60 s ago'])
})
