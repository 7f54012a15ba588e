import { loadFixture, splitFrames } from '../fake-upstream/fixtures.ts'
import { isJson, type Json } from '../fake-upstream/refusal.ts'

/** The events of a recorded stream, parsed. */
export function recordedEvents(name: string): Json[] {
  const { body } = loadFixture(name)
  if (body.kind !== 'stream') throw new Error(`Fixture ${name} is no stream`)
  return splitFrames(body.bytes).flatMap((frame) => {
    const [, data] = /^data: ?(.*)$/m.exec(frame.toString('utf8')) ?? []
    return data === undefined || data === '[DONE]' ? [] : [JSON.parse(data) as Json]
  })
}

/** What the deltas of one type say, joined: `response.output_text`, `response.refusal` … */
export function recordedText(name: string, type: string): string {
  const deltas = recordedEvents(name).filter((event) => event.type === `${type}.delta`)
  return deltas.map(({ delta }) => String(delta)).join('')
}

/** The function calls of a recorded stream as it closed them. */
export function recordedCalls(name: string): { id: unknown; name: unknown; arguments: unknown }[] {
  return recordedEvents(name)
    .filter(({ type }) => type === 'response.output_item.done')
    .flatMap(({ item }) => (isJson(item) && item.type === 'function_call' ? [item] : []))
    .map((item) => ({ id: item.call_id, name: item.name, arguments: item.arguments }))
}
