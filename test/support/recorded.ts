import { isObject, type JsonObject } from '../../src/json-object.ts'
import { fixtureNames, loadFixture, splitFrames } from '../fake-upstream/fixtures.ts'

type RecordedStream = { readonly name: string; readonly events: readonly JsonObject[] }

/** The streams of the Responses API among the fixtures, by their names. */
export const RESPONSES_STREAMS = /^(?:resp|chatgpt|made)-.*-stream$/

export function recordedStreams(names: RegExp): RecordedStream[] {
  return matching(names).map((name) => ({ name, events: recordedEvents(name) }))
}

/** The same streams byte for byte. */
export function recordedBytes(names: RegExp): { name: string; whole: Buffer }[] {
  return matching(names).map((name) => ({ name, whole: streamOf(name) }))
}

function matching(names: RegExp): string[] {
  const found = fixtureNames().filter((name) => names.test(name))
  if (found.length === 0) throw new Error(`No fixture is named like ${names}`)
  return found
}

function streamOf(name: string): Buffer {
  const { body } = loadFixture(name)
  if (body.kind !== 'stream') throw new Error(`Fixture ${name} is no stream`)
  return body.bytes
}

/** The events, or chunks, of a recorded stream, parsed; `[DONE]` and comments are left out. */
export function recordedEvents(name: string): JsonObject[] {
  return splitFrames(streamOf(name)).flatMap((frame) => {
    const [, data] = /^data: ?(.*)$/m.exec(frame.toString('utf8')) ?? []
    return data === undefined || data === '[DONE]' ? [] : [JSON.parse(data) as JsonObject]
  })
}

/** The body of a recorded answer in one piece. */
export function recordedBody(name: string): JsonObject {
  const { body } = loadFixture(name)
  if (body.kind !== 'json') throw new Error(`Fixture ${name} is a stream`)
  return body.json
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
    .flatMap(({ item }) => (isObject(item) && item.type === 'function_call' ? [item] : []))
    .map((item) => ({ id: item.call_id, name: item.name, arguments: item.arguments }))
}
