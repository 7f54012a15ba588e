import { once } from 'node:events'
import { connect } from 'node:net'
import { createGate, type Gate } from '../fake-upstream/answer.ts'
import { responseEvents, untilFirstDelta } from '../fake-upstream/event-stream.ts'
import type { FakeUpstream } from '../fake-upstream/server.ts'

const EVENTS = responseEvents([{ text: 'one two three four' }])
const UNTIL_FIRST_DELTA = untilFirstDelta(EVENTS)

export type HeldStream = {
  readonly gate: Gate
  /** Everything the client got, once there is no more. */
  rest(): Promise<string>
}

/** A chat stream that has begun, and waits until its gate is opened. */
export async function startHeldStream(upstream: FakeUpstream, url: string): Promise<HeldStream> {
  const gate = createGate()
  gate.release(UNTIL_FIRST_DELTA)
  upstream.enqueue({ events: EVENTS, gate })
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5.5', stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  const reader = (answer.body ?? new ReadableStream()).getReader()
  let text = ''
  const decoder = new TextDecoder()
  const readUntil = async (part: string | undefined) => {
    while (part === undefined || !text.includes(part)) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value, { stream: true })
    }
    return text
  }
  await readUntil('one')
  return { gate, rest: () => readUntil(undefined) }
}

/** Resolves when nothing listens there any more. */
export async function untilRefused(url: string): Promise<void> {
  while (!(await isRefused(url))) await new Promise(setImmediate)
}

export async function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}
