import type { ChatStream } from '../../src/conversion/chat-stream.ts'
import { ChatFrames } from '../../src/routes/chat-frames.ts'
import { frameJson } from '../../src/sse/event.ts'
import { dataFrame } from '../../src/sse/frames.ts'

/** Converts whole frames of a Responses stream, in as many pieces as they come; latin1 text in and out. */
export type ChatPath = (machine: ChatStream) => (frames: string) => string

/** As the proxy does it. */
export const hotPath: ChatPath = (machine) => {
  const frames = new ChatFrames(machine)
  return (text) => {
    frames.take(text, 0, text.length)
    return frames.drain()
  }
}

/** The same without the hot path: every frame parsed, every chunk rendered. */
export const plainPath: ChatPath = (machine) => (text) =>
  text
    .split('\n\n')
    .map(frameJson)
    .flatMap((event) => (machine.ended || event === undefined ? [] : machine.convert(event)))
    .map(dataFrame)
    .join('')
