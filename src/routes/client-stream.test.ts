import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ClientStream } from './client-stream.ts'

const SETTINGS = { keepAlive: 15_000, slowClientTimeout: 300_000 }

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

class FakeResponse extends EventEmitter {
  readonly written: string[] = []
  destroyed = false
  takes = true

  writeHead(status: number) {
    // As with `write`: what is for a closed connection goes nowhere.
    if (!this.destroyed) this.written.push(`head ${status}`)
    return this as unknown as ServerResponse
  }

  write(text: string) {
    this.written.push(text)
    return this.takes && !this.destroyed
  }

  /** As Node does when the connection closes. */
  destroy() {
    this.destroyed = true
    this.emit('close')
  }
}

class FakeSource {
  paused = false

  pause() {
    this.paused = true
  }

  resume() {
    this.paused = false
  }
}

function openStream() {
  const response = new FakeResponse()
  const source = new FakeSource()
  const stream = new ClientStream({ takeOver: (status) => response.writeHead(status) }, SETTINGS)
  stream.addSource(source)
  return { stream, response, source, written: response.written }
}

test('what comes before the 200 is kept, and sent with it', () => {
  const { stream, written } = openStream()
  stream.write('data: 1\n\n')
  expect(written).toEqual([])
  stream.open()
  stream.write('data: 2\n\n')
  expect(written).toEqual(['head 200', 'data: 1\n\n', 'data: 2\n\n'])
})

test('silence opens the stream and is filled with comments', () => {
  const { written } = openStream()
  vi.advanceTimersByTime(SETTINGS.keepAlive * 2)
  expect(written).toEqual(['head 200', expect.stringMatching(/^:/), expect.stringMatching(/^:/)])
})

test('a client that does not read pauses upstream, and is given up after a while', () => {
  const { stream, response, source } = openStream()
  stream.open()
  response.takes = false
  stream.write('data: 1\n\n')
  expect(source.paused).toBe(true)
  vi.advanceTimersByTime(SETTINGS.slowClientTimeout)
  expect(response.destroyed).toBe(true)
})

test('a client that reads again is served on', () => {
  const { stream, response, source } = openStream()
  stream.open()
  response.takes = false
  stream.write('data: 1\n\n')
  response.emit('drain')
  expect(source.paused).toBe(false)
  vi.advanceTimersByTime(SETTINGS.slowClientTimeout)
  expect(response.destroyed).toBe(false)
})

test.each([
  ['before the first event', () => {}],
  ['after the 200', (stream: ClientStream) => stream.open()],
])('no timer outlives a client that left %s', (_when, before) => {
  const { stream, response, written } = openStream()
  before(stream)
  response.destroy()
  const seen = [...written]
  stream.write('data: late\n\n')
  vi.advanceTimersByTime(SETTINGS.keepAlive)
  stream.write('data: later\n\n')
  expect(vi.getTimerCount()).toBe(0)
  expect(written).toEqual(seen)
})

test('an attempt that failed leaves nothing behind', () => {
  const { stream, written } = openStream()
  stream.write('data: 1\n\n')
  stream.forgetHeld()
  stream.discard()
  vi.advanceTimersByTime(SETTINGS.keepAlive)
  expect(written).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
