import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { end, STREAM_SETTINGS as SETTINGS, write } from '../../../test/support/client-streams.ts'
import { Cancellation } from '../../cancellation.ts'
import { ClientStream } from './client-stream.ts'

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

  write(bytes: Buffer) {
    this.written.push(bytes.toString('latin1'))
    return this.takes && !this.destroyed
  }

  flushHeaders() {}

  end(bytes: Buffer) {
    this.written.push(bytes.toString('latin1'))
    this.writableEnded = true
    this.writableLength = 0
  }

  writableEnded = false
  writableLength = 1
  #timer: NodeJS.Timeout | undefined

  /** As Node does for a socket nothing happens on. */
  setTimeout(milliseconds: number) {
    clearTimeout(this.#timer)
    if (milliseconds > 0) this.#timer = setTimeout(() => this.destroy(), milliseconds)
  }

  /** As Node does when some of a large write was read. */
  progress() {
    this.#timer?.refresh()
  }

  /** As Node does when the connection closes. */
  destroy() {
    this.destroyed = true
    clearTimeout(this.#timer)
    this.emit('close')
  }
}

class FakeSource {
  paused = false

  read() {
    return new Promise<void>(() => {})
  }

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
  const request = { takeOver: (status: number) => response.writeHead(status), cancellation: new Cancellation() }
  response.on('close', () => request.cancellation.cancel(new Error('The client left.')))
  const stream = new ClientStream(request, SETTINGS)
  void stream.follow(source)
  return { stream, response, source, written: response.written }
}

/** What was written first is not read by the client. */
function openUnread() {
  const opened = openStream()
  opened.stream.open()
  opened.response.takes = false
  write(opened.stream, 'data: 1\n\n')
  return opened
}

test('what comes before the 200 is kept, and sent with it', () => {
  const { stream, written } = openStream()
  write(stream, 'data: 1\n\n')
  expect(written).toEqual([])
  stream.open()
  write(stream, 'data: 2\n\n')
  expect(written).toEqual(['head 200', 'data: 1\n\ndata: 2\n\n'])
})

test('an answer that is announced and says nothing holds no room for what it will say', () => {
  const { stream, response } = openStream()
  const written = vi.spyOn(response, 'write')
  stream.open()
  stream.out.expect(80_000)
  stream.flush()
  write(stream, 'data: 1\n\n')
  expect(written.mock.calls[0]?.[0].buffer.byteLength).toBeLessThan(80_000)
})

test('silence opens the stream and is filled with comments', () => {
  const { written } = openStream()
  vi.advanceTimersByTime(SETTINGS.keepAlive * 2)
  expect(written).toEqual(['head 200', expect.stringMatching(/^:/), expect.stringMatching(/^:/)])
})

test('what is written puts the next comment off, also of an answer of several sources', () => {
  const { stream, written } = openStream()
  stream.open()
  vi.advanceTimersByTime(SETTINGS.keepAlive / 2)
  void stream.follow(new FakeSource())
  write(stream, 'data: 1\n\n')
  vi.advanceTimersByTime(SETTINGS.keepAlive - 1)
  expect(written).toEqual(['head 200', 'data: 1\n\n'])
  vi.advanceTimersByTime(1)
  expect(written).toEqual(['head 200', 'data: 1\n\n', expect.stringMatching(/^:/)])
})

test('an answer that ended leaves no timer, which would keep all of the request in memory', () => {
  const { stream } = openStream()
  end(stream, 'data: [DONE]\n\n')
  expect(vi.getTimerCount()).toBe(0)
})

test('an answer that ended while its source was asked for it never has a timer', () => {
  const response = new FakeResponse()
  const request = { takeOver: (status: number) => response.writeHead(status), cancellation: new Cancellation() }
  const stream = new ClientStream(request, SETTINGS)
  const source = new FakeSource()
  source.read = async () => end(stream, 'data: [DONE]\n\n')
  void stream.follow(source)
  expect(vi.getTimerCount()).toBe(0)
})

test('while the client does not read, a source that joins waits as well', () => {
  const { stream, response, source } = openStream()
  stream.open()
  expect(source.paused).toBe(false)
  response.takes = false
  write(stream, 'data: 1\n\n')
  const second = new FakeSource()
  void stream.follow(second)
  expect(second.paused).toBe(true)
  response.emit('drain')
  expect(second.paused).toBe(false)
})

test('what is sent is told, without what HTTP puts around it', () => {
  const sent: string[] = []
  const response = Object.assign(new FakeResponse(), { chunkedEncoding: true })
  const request = { takeOver: () => response as unknown as ServerResponse, cancellation: new Cancellation() }
  const stream = new ClientStream(request, SETTINGS, (bytes) => sent.push(bytes.toString()))
  stream.open()
  write(stream, 'data: é\n\n')
  end(stream, 'data: [DONE]\n\n')
  expect(sent).toEqual(['data: é\n\n', 'data: [DONE]\n\n'])
})

test('a client that does not read pauses upstream, and is given up after a while', () => {
  const { response, source } = openUnread()
  expect(source.paused).toBe(true)
  vi.advanceTimersByTime(SETTINGS.slowClientTimeout)
  expect(response.destroyed).toBe(true)
})

test('a client that reads slowly is not given up', () => {
  const { response } = openUnread()
  for (let read = 0; read < 3; read++) {
    vi.advanceTimersByTime(SETTINGS.slowClientTimeout - 1)
    response.progress()
  }
  expect(response.destroyed).toBe(false)
})

test('a client that reads again is served on', () => {
  const { response, source } = openUnread()
  response.takes = true
  response.emit('drain')
  expect(source.paused).toBe(false)
  vi.advanceTimersByTime(SETTINGS.slowClientTimeout)
  expect(response.destroyed).toBe(false)
})

test('a client that stops reading once more pauses upstream once more', () => {
  const { stream, response, source } = openStream()
  stream.open()
  response.takes = false
  for (let stop = 0; stop < 2; stop++) {
    write(stream, 'data: 1\n\n')
    expect(source.paused).toBe(true)
    response.emit('drain')
    expect(source.paused).toBe(false)
  }
})

test('what else is written to a client that does not read gives it no more time', () => {
  const { stream, response } = openUnread()
  vi.advanceTimersByTime(SETTINGS.slowClientTimeout - 1)
  write(stream, 'data: 2\n\n')
  vi.advanceTimersByTime(1)
  expect(response.destroyed).toBe(true)
})

test('a client that does not read gets no comments, but again once it reads', () => {
  const { response, written } = openUnread()
  vi.advanceTimersByTime(SETTINGS.keepAlive)
  expect(written).toEqual(['head 200', 'data: 1\n\n'])
  response.emit('drain')
  vi.advanceTimersByTime(SETTINGS.keepAlive)
  expect(written).toEqual(['head 200', 'data: 1\n\n', expect.stringMatching(/^:/)])
})

test.each([
  ['before the first event', () => {}],
  ['after the 200', (stream: ClientStream) => stream.open()],
])('no timer outlives a client that left %s', (_when, before) => {
  const { stream, response, written } = openStream()
  before(stream)
  response.destroy()
  // At once: it would hold the request, a large prompt maybe, until it is due.
  expect(vi.getTimerCount()).toBe(0)
  const seen = [...written]
  write(stream, 'data: late\n\n')
  vi.advanceTimersByTime(SETTINGS.keepAlive)
  write(stream, 'data: later\n\n')
  expect(vi.getTimerCount()).toBe(0)
  expect(written).toEqual(seen)
})

test('an attempt that failed leaves nothing behind', () => {
  const { stream, written } = openStream()
  write(stream, 'data: 1\n\n')
  stream.out.clear()
  stream.cancel()
  vi.advanceTimersByTime(SETTINGS.keepAlive)
  expect(written).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

describe('the memory of what was written', () => {
  /** A stream and what its response was given: the bytes, and how it tells that they are written. */
  function openLarge() {
    const given: { bytes: Buffer; written: (error?: Error) => void }[] = []
    const response = Object.assign(new FakeResponse(), {
      write(bytes: Buffer, written: (error?: Error) => void) {
        given.push({ bytes, written })
        return true
      },
    })
    const request = { takeOver: () => response as unknown as ServerResponse, cancellation: new Cancellation() }
    const stream = new ClientStream(request, SETTINGS)
    stream.open()
    const send = (letter: string) => {
      write(stream, letter.repeat(50_000))
      const last = given.at(-1)
      if (last === undefined) throw new Error('Nothing was written.')
      return last
    }
    return send
  }

  test('is used again once the socket has it, and not before', () => {
    const send = openLarge()
    const first = send('a')
    send('b')
    expect(first.bytes.every((byte) => byte === 97)).toBe(true)
    first.written()
    expect(send('c').bytes.buffer).toBe(first.bytes.buffer)
  })

  test('is left alone when writing failed', () => {
    const send = openLarge()
    const first = send('a')
    first.written(new Error('EPIPE'))
    expect(send('b').bytes.buffer).not.toBe(first.bytes.buffer)
  })
})
