import type { ResponsesRequest } from '../chat-plan.ts'

/**
 * The same request without reasoning items, for when upstream refuses those (case 110); the request itself if there are
 * none. Those of a Chat request were all put back from memory.
 */
export function withoutReasoning(request: ResponsesRequest): ResponsesRequest {
  const input = request.input.filter(({ type }) => type !== 'reasoning')
  return input.length === request.input.length ? request : { ...request, input }
}
