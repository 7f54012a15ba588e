import type { Answer } from '../fake-upstream/answer.ts'
import { type Item, responseEvents } from '../fake-upstream/event-stream.ts'
import type { FakeUpstream } from '../fake-upstream/server.ts'

/** What upstream answers from now on: one after the other, the last of them to whatever more is asked. */
export function answerWith(upstream: FakeUpstream, ...answers: readonly [...Answer[], Answer]): void {
  const left = [...answers]
  const last = answers[answers.length - 1]
  upstream.setDefault(() => left.shift() ?? last ?? { status: 500 })
}

/** An answer that begins with a 200 and these items, and then fails. */
export function failingAnswer(
  code: string,
  items: readonly Item[] = [],
  message = 'It failed, says upstream.',
): Answer {
  return { events: responseEvents(items, { end: 'failed', error: { code, message } }) }
}

/** How often upstream was asked meanwhile. */
export async function callsDuring<Value>(
  upstream: FakeUpstream,
  work: () => Promise<Value>,
): Promise<[value: Value, calls: number]> {
  const before = upstream.calls().length
  const value = await work()
  return [value, upstream.calls().length - before]
}
