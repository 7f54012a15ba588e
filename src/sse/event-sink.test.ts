import { expect, test } from 'vitest'
import { eventSink } from './event-sink.ts'

test.each(['\n', '\r\n', '\r'])('events behind one whose lines end with %j are not lost', (end) => {
  const events: unknown[] = []
  const read = Buffer.from(`event: a${end}data: 1${end}${end}data: 2\n\ndata: 3\n\n`)
  eventSink((event) => events.push(event)).take(read, [0, read.length])
  expect(events).toEqual([1, 2, 3])
})
