import { readFileSync } from 'node:fs'
import { ChatStream } from '../src/conversion/answer/chat-stream.ts'
import { frameJson } from '../src/sse/event.ts'
import { chatPlan } from '../test/support/answers.ts'
import { type ChatPath, hotPath, plainPath } from '../test/support/chat-paths.ts'
import { planFromArguments } from './process-life.ts'

// A process of its own: converts recorded streams without any sockets, once as the proxy does, once with every frame
// parsed and every chunk rendered.

export type ConversionPlan = { readonly streams: readonly string[]; readonly seconds: number }
export type Conversion = { events: number; hotMicros: number; plainMicros: number; equal: boolean }

type Convert = (bytes: Buffer) => string

const plan = chatPlan({ includeUsage: true })

/** In one piece; in reality it comes in many. */
const whole =
  (path: ChatPath): Convert =>
  (bytes) =>
    path(new ChatStream(plan, 0))(bytes, [0, bytes.length])

const hot = whole(hotPath)
const plain = whole(plainPath)

function microsOf(convert: Convert, bytes: Buffer, seconds: number): number {
  let times = 0
  const from = performance.now()
  while (performance.now() - from < seconds * 1000) {
    convert(bytes)
    times++
  }
  return ((performance.now() - from) * 1000) / times
}

function measure(name: string, seconds: number): Conversion {
  const bytes = readFileSync(new URL(`../test/fixtures/${name}/stream.sse`, import.meta.url))
  const events = bytes.toString('latin1').match(/^data: /gm)?.length ?? 0
  const equal = chunks(hot(bytes)) === chunks(plain(bytes))
  // First until the compiler is done.
  const [hotMicros = 0, plainMicros = 0] = [hot, plain].map((convert) => {
    microsOf(convert, bytes, seconds)
    return microsOf(convert, bytes, seconds) / events
  })
  return { events, hotMicros, plainMicros, equal }
}

/** In one form of JSON: which characters are escaped is all the same. */
function chunks(stream: string): string {
  return JSON.stringify(stream.split('\n\n').map(frameJson))
}

const { streams, seconds } = planFromArguments() as ConversionPlan // made by our own starter
process.stdout.write(JSON.stringify(streams.map((name) => measure(name, seconds))))
