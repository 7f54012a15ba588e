import { expect, test } from 'vitest'
import { limitUnread } from './unread-lines.ts'

test('lines that nobody reads are dropped beyond a limit, and counted once there is room again', () => {
  const written: string[] = []
  let unread = 0
  const log = limitUnread({ write: (lines) => written.push(lines) }, () => unread)
  log.write('first\n')
  unread = 1024 * 1024
  log.write('second\n')
  unread++
  log.write('third\nfourth\n')
  log.write('fifth\n')
  expect(written).toEqual(['first\n', 'second\n'])
  unread = 0
  log.write('sixth\n')
  log.write('seventh\n')
  const [told = '', ...others] = written.slice(2).join('').split('\n')
  expect(JSON.parse(told)).toMatchObject({ level: 'warn', dropped: 3 })
  expect(others).toEqual(['sixth', 'seventh', ''])
})
