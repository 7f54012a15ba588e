import { type ApiError, errorBody } from '../../errors.ts'
import { objectOf } from '../../json-object.ts'
import { namedFrame } from '../../sse/frames.ts'

/** Both are within the first hundred bytes of all recorded answers. */
const RESPONSE_ID = /"id":"([^"\\]+)"/
const CREATED_AT = /"created_at":(\d+)/

/**
 * The event of a failed answer, if upstream sent none. Clients with fixed types expect everything that identifies an
 * answer: it is taken from `response.created`.
 */
export function failedEvent(error: ApiError, beginning: string, model: string | undefined): object {
  const { code, details } = error
  const { message } = errorBody(error).error
  const [, id] = RESPONSE_ID.exec(beginning) ?? []
  const [, createdAt] = CREATED_AT.exec(beginning) ?? []
  const response = {
    id,
    object: 'response',
    created_at: createdAt === undefined ? undefined : Number(createdAt),
    status: 'failed',
    error: { code, message, ...details },
    incomplete_details: null,
    model,
    usage: null,
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
