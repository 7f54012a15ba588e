import { Writable } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { openTerminalLog } from './terminal-log.ts'

/** Takes nothing until it is told to. */
function unreadStream() {
  let take = () => {}
  const stream = new Writable({
    write(_bytes, _encoding, written) {
      take = written
    },
  })
  return { stream, read: () => take() }
}

test('what nobody has read yet is known, and also when it is read', async () => {
  const { stream, read } = unreadStream()
  const log = openTerminalLog(stream, false)
  expect(log.unread()).toBe(0)
  log.write('a line\n')
  expect(log.unread()).toBe(7)
  expect(await log.isRead(1)).toBe(false)
  const isRead = log.isRead(60_000)
  read()
  read()
  read()
  expect(await isRead).toBe(true)
  expect(log.unread()).toBe(0)
})

test('a terminal is not waited for', () => {
  const setBlocking = vi.fn()
  const { stream } = unreadStream()
  openTerminalLog(Object.assign(stream, { _handle: { setBlocking } }), false)
  expect(setBlocking.mock.calls).toEqual([[false]])
})
