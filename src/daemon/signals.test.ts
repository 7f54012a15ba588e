import { EventEmitter } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { playPlatform } from '../../test/support/platform.ts'
import { endOnSignals, stopOnSignals } from './signals.ts'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGBREAK'] as const

test.each(SIGNALS)('%s drains and is told, and a second one ends at once', (signal) => {
  const source = new EventEmitter()
  const server = { drain: vi.fn(async () => {}), close: vi.fn(async () => {}) }
  const draining = vi.fn()
  const release = stopOnSignals(source, server, { draining, failed() {} }, 'stop')
  const calls = () => [server.drain, draining, server.close].map((call) => call.mock.calls.length)
  source.emit(signal)
  expect(calls()).toEqual([1, 1, 0])
  source.emit(signal)
  expect(calls()).toEqual([1, 1, 1])
  release()
  expect(source.eventNames()).toEqual([])
})

test('a stop that fails is told, and ends nothing else', async () => {
  const source = new EventEmitter()
  const error = new Error('No.')
  const failed = vi.fn()
  const fail = async () => {
    throw error
  }
  stopOnSignals(source, { drain: fail, close: fail }, { draining() {}, failed }, 'stop')
  source.emit('SIGTERM')
  await nextTurn()
  expect(failed.mock.calls).toEqual([[error]])
})

test.each([...SIGNALS, 'SIGHUP'] as const)(
  'on Windows %s ends a short command too, when its work is done',
  async (signal) => {
    playPlatform('win32')
    const kill = vi.fn(() => true)
    const source = Object.assign(new EventEmitter(), { pid: 1234, kill })
    let done = () => {}
    endOnSignals(source as never, () => new Promise((resolve) => (done = resolve)))
    source.emit(signal, signal) // As Node does.
    await nextTurn()
    expect(kill).not.toHaveBeenCalled()
    done()
    await nextTurn()
    // Node fails to send any of the others there.
    expect(kill.mock.calls).toEqual([[1234, 'SIGTERM']])
  },
)

test('a short command ends once, however often it is told to', async () => {
  const kill = vi.fn(() => true)
  const source = Object.assign(new EventEmitter(), { pid: 1234, kill })
  let done = () => {}
  const end = vi.fn(() => new Promise<void>((resolve) => (done = resolve)))
  endOnSignals(source as never, end)
  source.emit('SIGINT', 'SIGINT')
  source.emit('SIGTERM', 'SIGTERM')
  expect(end).toHaveBeenCalledTimes(1)
  done()
  await nextTurn()
  expect(kill.mock.calls).toEqual([[1234, 'SIGINT']])
  expect(source.eventNames()).toEqual([])
})
