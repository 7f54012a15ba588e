import { bytesJson } from './event.ts'
import { type FrameSink, frameAt, frameEnd, withLineFeeds } from './frame-reader.ts'

/** A sink that hands on the JSON of every frame; frames without JSON are left out. */
export function eventSink(take: (event: unknown) => void, read: (frame: Buffer) => unknown = bytesJson): FrameSink {
  return {
    take(memory, ranges) {
      for (let i = 0; i + 1 < ranges.length; i += 2) {
        const to = ranges[i + 1] ?? 0
        for (let at = ranges[i] ?? 0; at < to; ) {
          const end = frameEnd(memory, at)
          const frame = frameAt(memory, at, end)
          if (frame === undefined) {
            const lines = withLineFeeds(memory.subarray(at, to))
            this.take(lines, [0, lines.length])
            break
          }
          const event = read(frame)
          if (event !== undefined) take(event)
          at = end + 2
        }
      }
    },
  }
}
