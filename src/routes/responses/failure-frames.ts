import { type ApiError, errorBody } from '../../errors.ts'
import { type JsonObject, objectOf } from '../../json-object.ts'
import { namedFrame } from '../../sse/frames.ts'

/**
 * The event of a failed answer, if upstream sent none. As in the API (recorded: `resp-failed-quota-stream`) it repeats
 * the Response of `response.created`, which clients with fixed types expect.
 */
export function failedEvent(error: ApiError, begun: JsonObject | undefined, model: string | undefined): object {
  const { code, details } = error
  const { message } = errorBody(error).error
  const response = {
    object: 'response',
    incomplete_details: null,
    model,
    usage: null,
    ...begun,
    status: 'failed',
    error: { code, message, ...details },
  }
  return { response }
}

/**
 * Whether it has a number and an error object, on which the official clients throw, with everything that the AI SDK
 * expects there: without a code it takes the event for an invalid answer instead of an error.
 */
export function isAsRecorded(event: unknown): boolean {
  const { error, sequence_number } = objectOf(event)
  const { type, code, message } = objectOf(error)
  return typeof sequence_number === 'number' && [type, code, message].every((text) => typeof text === 'string')
}

/**
 * Two forms in one: the API's own `error` event, which the AI SDK recognises by its number, and the `error` object that
 * the official client throws on.
 */
export function errorFrame(error: ApiError, sequenceNumber: number): string {
  const body = errorBody(error)
  return namedFrame('error', { ...body.error, ...body, type: 'error', sequence_number: sequenceNumber })
}
