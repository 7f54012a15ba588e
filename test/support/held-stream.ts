import { createGate, type Gate } from '../fake-upstream/answer.ts'
import { responseEvents, untilFirstDelta } from '../fake-upstream/event-stream.ts'
import type { FakeUpstream } from '../fake-upstream/server.ts'
import { CHAT } from './questions.ts'
import { type WatchedAnswer, watchAnswer } from './watched-answer.ts'

const EVENTS = responseEvents([{ text: 'one two three four' }])
const UNTIL_FIRST_DELTA = untilFirstDelta(EVENTS)

export type HeldStream = Pick<WatchedAnswer, 'until'> & {
  readonly gate: Gate
  /** Everything the client got, once there is no more. */
  rest(): Promise<string>
}

/** A chat stream that has begun, and waits until its gate is opened. */
export async function startHeldStream(upstream: FakeUpstream, url: string): Promise<HeldStream> {
  const gate = createGate()
  gate.release(UNTIL_FIRST_DELTA)
  upstream.enqueue({ events: EVENTS, gate })
  const answer = await watchAnswer(url, '/v1/chat/completions', { ...CHAT, stream: true })
  await answer.until('one')
  return { gate, until: answer.until, rest: () => answer.ended }
}
