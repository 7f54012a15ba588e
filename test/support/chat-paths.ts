import type { ChatStream } from '../../src/conversion/answer/chat-stream.ts'
import { ChatFrames } from '../../src/routes/chat/chat-frames.ts'
import { frameJson } from '../../src/sse/event.ts'
import { FrameOutput } from '../../src/sse/frame-output.ts'
import type { FrameSink } from '../../src/sse/frame-reader.ts'
import { dataFrame } from '../../src/sse/frames.ts'
import { piecesOf } from './bytes.ts'

/** Converts whole frames of a Responses stream, in as many reads as they come. */
export type ChatPath = (machine: ChatStream) => (...read: Parameters<FrameSink['take']>) => string

/** As the proxy does it. */
export const hotPath: ChatPath = (machine) => {
  const out = new FrameOutput()
  const frames = new ChatFrames(machine, out)
  return (memory, ranges) => {
    frames.take(memory, ranges)
    return out.take().toString()
  }
}

/** The same without the hot path: every frame parsed, every chunk rendered. */
export const plainPath: ChatPath = (machine) => (memory, ranges) =>
  piecesOf(memory, ranges)
    .flatMap((piece) => piece.toString().split('\n\n'))
    .map(frameJson)
    .flatMap((event) => (machine.ended || event === undefined ? [] : machine.convert(event)))
    .map(dataFrame)
    .join('')
