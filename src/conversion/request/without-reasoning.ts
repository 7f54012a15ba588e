import type { ApiError } from '../../errors.ts'
import type { ResponsesRequest } from './upstream-body.ts'

/**
 * The same request without reasoning items, for when upstream refuses those (case 110); the request itself if there are
 * none. Those of a Chat request were all put back from memory.
 */
export function withoutReasoning(request: ResponsesRequest): ResponsesRequest {
  const input = request.input.filter(({ type }) => type !== 'reasoning')
  return input.length === request.input.length ? request : { ...request, input }
}

/**
 * Reasoning is too old, of another model or another account; its id is refused, missed, or looked for and not found; or
 * nothing of the model comes after it, as when a turn was nothing but thought. The code says so, or the message names the item (case 110, 111, 203).
 * Clients send it again with each turn to come, so the conversation would be over. An item of another kind, which has an
 * id or something encrypted too, would be refused again.
 */
export function isReasoningRefusal({ status, code, message }: ApiError, { input }: ResponsesRequest): boolean {
  const notFound = NOT_FOUND.exec(message)?.[1]
  if (notFound !== undefined) return input.some(({ type, id }) => type === 'reasoning' && id === notFound)
  if (status !== 400) return false
  if (code === 'invalid_encrypted_content') return true
  const place = PLACE.exec(message)?.[1]
  return OF_ITEM.test(message) && (place === undefined || input[Number(place)]?.type === 'reasoning')
}

/** Not of `reasoning.effort` and other settings, nor of what `include` asks for. */
const OF_ITEM = /'reasoning'|\breasoning items?\b|(?<!reasoning\.)\bencrypted|'input\[\d+\]\.id'/i
const NOT_FOUND = /^Item with id '([^']+)' not found/
const PLACE = /'input\[(\d+)\]/
