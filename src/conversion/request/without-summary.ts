import type { ApiError } from '../../errors.ts'
import { asObject, isEmpty, objectOf } from '../../json-object.ts'
import type { ResponsesRequest } from '../chat-plan.ts'

export function asksForSummary({ reasoning }: ResponsesRequest): boolean {
  return asObject(reasoning)?.summary !== undefined
}

/**
 * The same body without asking for a summary of the reasoning. Made from the bytes: the request is not held for it, since
 * hardly any model refuses.
 */
export function withoutSummary(body: readonly Buffer[]): Buffer[] {
  const request = objectOf(JSON.parse(Buffer.concat(body).toString('utf8')))
  const { summary: _, ...reasoning } = asObject(request.reasoning) ?? {}
  // JSON leaves out what is undefined.
  const lesser = { ...request, reasoning: isEmpty(reasoning) ? undefined : reasoning }
  return [Buffer.from(JSON.stringify(lesser))]
}

/** Some models have no summaries, and the list of models does not tell (docs/upstream.md 4.5). */
export function isSummaryRefusal({ code, message }: ApiError): boolean {
  return code === 'unsupported_parameter' && message.includes("'reasoning.summary'")
}
