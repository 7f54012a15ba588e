import { expect, test } from 'vitest'
import { chatPlan } from '../../../test/support/answers.ts'
import { RESPONSES_STREAMS, recordedStreams } from '../../../test/support/recorded.ts'
import { ApiError } from '../../errors.ts'
import { isObject, type JsonObject } from '../../json-object.ts'
import { ChatStream } from './chat-stream.ts'
import { isReadOfResponse } from './response-fields.ts'
import { endError } from './responses-collector.ts'

/** The event; `note` is told each field of its Response that is read. */
function watched(event: JsonObject, note: (field: string) => void): JsonObject {
  const { response } = event
  if (!isObject(response)) return event
  const get = (fields: JsonObject, name: string | symbol) => {
    note(String(name))
    return fields[String(name)]
  }
  return { ...event, response: new Proxy(response, { get }) }
}

function convert(stream: ChatStream, event: JsonObject): void {
  try {
    stream.convert(event)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}

test('every field of a Response that is read is kept of a long event', () => {
  const read = new Set<string>()
  for (const { events } of recordedStreams(RESPONSES_STREAMS)) {
    const stream = new ChatStream(chatPlan(), 0)
    for (const event of events) {
      const noted = watched(event, (field) => read.add(field))
      convert(stream, noted)
      endError(noted, { headers: {}, now: undefined })
    }
  }
  expect([...read]).toEqual(expect.arrayContaining(['output', 'usage', 'error', 'incomplete_details']))
  expect([...read].filter((field) => !isReadOfResponse(field))).toEqual([])
})
