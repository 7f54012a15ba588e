import type { ApiError } from '../../errors.ts'
import type { ResponsesRequest } from './upstream-body.ts'

/**
 * The same request without reasoning items, in case upstream refuses those (case 110); the request itself if there are
 * none. In a Chat request all of them were put back from memory.
 */
export function withoutReasoning(request: ResponsesRequest): ResponsesRequest {
  const input = request.input.filter(({ type }) => type !== 'reasoning')
  return input.length === request.input.length ? request : { ...request, input }
}

/**
 * The refused reasoning is too old, or of another model or account; its id is refused, or missing; or no output of the
 * model follows it, as when a turn was only reasoning; or upstream looked for its id and did not find it. The code says
 * so, or the message names the item (case 110, 111, 203). Clients send it again with each later turn, so the
 * conversation would be over. If an item of another kind is at fault, which may also have an id or encrypted content, the
 * request would be refused again.
 */
export function isReasoningRefusal({ status, code, message }: ApiError, { input }: ResponsesRequest): boolean {
  const notFound = NOT_FOUND.exec(message)?.[1]
  if (notFound !== undefined) return input.some(({ type, id }) => type === 'reasoning' && id === notFound)
  if (status !== 400) return false
  if (code === 'invalid_encrypted_content') return true
  const place = PLACE.exec(message)?.[1]
  return OF_ITEM.test(message) && (place === undefined || input[Number(place)]?.type === 'reasoning')
}

/** Not for `reasoning.effort` and other settings, nor for what `include` requests. */
const OF_ITEM = /'reasoning'|\breasoning items?\b|(?<!reasoning\.)\bencrypted|'input\[\d+\]\.id'/i
const NOT_FOUND = /^Item with id '([^']+)' not found/
const PLACE = /'input\[(\d+)\]/
