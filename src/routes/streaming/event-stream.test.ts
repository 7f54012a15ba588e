import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { piecesOf } from '../../../test/support/bytes.ts'
import type { AnswerBody, BodySink } from '../../upstream/answer.ts'
import { EventStream, type FrameHandlers } from './event-stream.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

class FakeBody implements AnswerBody {
  sink: BodySink | undefined
  aborted = false
  paused = false
  over = false

  pipe(sink: BodySink) {
    this.sink = sink
  }

  pause() {
    this.paused = true
  }

  resume() {
    this.paused = false
  }

  abort() {
    this.aborted = true
  }

  /** One socket read, in pieces of so many bytes. */
  read(text: string, size = text.length) {
    const memory = Buffer.from(text)
    const ranges: number[] = []
    for (let at = 0; at < memory.length; at += size) ranges.push(at, Math.min(at + size, memory.length))
    this.sink?.data({ memory, ranges })
  }

  /** The body ends with this read. */
  readLast(text: string) {
    this.over = true
    this.read(text)
    this.sink?.end()
  }
}

/** Ends with the frame `last`; tells what was handed over. */
function openStream(handlers: Partial<FrameHandlers> = {}) {
  const body = new FakeBody()
  const told: string[] = []
  const events: EventStream = new EventStream({ body }, 1024, {
    frames: {
      take: (memory, ranges) => told.push(...piecesOf(memory, ranges).map((piece) => piece.toString().trim())),
    },
    batchEnd() {
      told.push('end of read')
      if (told.includes('data: last')) events.finish()
    },
    ...handlers,
  })
  return { body, events, told, done: events.read() }
}

test('the end of a read is told once, after all its frames', () => {
  const { body, told } = openStream()
  body.read('data: 1\n\ndata: 2\n\ndata: 3\n\n', 9)
  expect(told).toEqual(['data: 1', 'data: 2', 'data: 3', 'end of read'])
})

test('nothing is handed over after the read of the last frame that matters', async () => {
  const { body, told, done } = openStream()
  body.read('data: first\n\ndata: last\n\n', 13)
  await done
  body.read('data: after\n\n')
  expect(told).toEqual(['data: first', 'data: last', 'end of read'])
})

test('an answer that ends in the same read as its last frame leaves no timer, which would keep all of it in memory', async () => {
  const { body, done } = openStream()
  body.readLast('data: last\n\n')
  await done
  expect(vi.getTimerCount()).toBe(0)
})

test('a body that ends without the last frame counts as ended, a frame without its empty line included', async () => {
  const { body, told, done } = openStream()
  body.readLast('data: 1\n\ndata: 2')
  await done
  expect(told).toEqual(['data: 1', 'end of read', 'data: 2', 'end of read'])
  expect(vi.getTimerCount()).toBe(0)
})

test('a client that reads slowly pauses upstream until the last frame, and not after it', async () => {
  const { body, events, done } = openStream()
  events.pause()
  expect(body.paused).toBe(true)
  events.resume()
  expect(body.paused).toBe(false)
  events.pause()
  body.read('data: last\n\n')
  await done
  expect(body.paused).toBe(false)
  events.pause()
  expect(body.paused).toBe(false)
})

test('an upstream that breaks off after the last frame leaves no timer', async () => {
  const { body, done } = openStream()
  body.read('data: last\n\n')
  await done
  body.sink?.fail(new Error('reset'))
  expect(vi.getTimerCount()).toBe(0)
})

test('an upstream that stays open after the last frame is left after a while, and at once when it ends', async () => {
  const slow = openStream()
  slow.body.read('data: last\n\n')
  await slow.done
  vi.advanceTimersByTime(1000)
  expect(slow.body.aborted).toBe(true)

  const prompt = openStream()
  prompt.body.read('data: last\n\n')
  await prompt.done
  prompt.body.sink?.end()
  expect(vi.getTimerCount()).toBe(0)
  expect(prompt.body.aborted).toBe(false)
})

test('a stream that is abandoned ends its upstream request at once, and nothing more is handed over', async () => {
  const { body, events, told, done } = openStream()
  body.read('data: 1\n\n')
  events.abandon()
  await done
  expect(body.aborted).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
  body.read('data: 2\n\n')
  expect(told).toEqual(['data: 1', 'end of read'])
})

test('a stream that breaks off hands over what came before and rejects', async () => {
  const { body, told, done } = openStream()
  body.read('data: 1\n\ndata: half')
  body.sink?.fail(new Error('reset'))
  await expect(done).rejects.toMatchObject({
    code: 'upstream_stream_cut',
    message: expect.stringContaining('The connection to upstream broke in the middle of its answer.'),
  })
  expect(told).toEqual(['data: 1', 'end of read'])
})

test('what a handler throws ends the upstream request and rejects', async () => {
  const fault = new Error('not to be converted')
  const { body, events, told, done } = openStream({
    frames: {
      take() {
        throw fault
      },
    },
  })
  body.read('data: 1\n\n')
  await expect(done).rejects.toBe(fault)
  expect(body.aborted).toBe(true)
  events.pause()
  expect([body.paused, told]).toEqual([false, []])
})
