import type { ApiError } from '../../errors.ts'
import { asObject, type JsonObject, objectOf } from '../../json-object.ts'
import type { ResponsesRequest } from './upstream-body.ts'

export function asksForSummary({ reasoning }: ResponsesRequest): boolean {
  // Null counts as absent (case 24).
  return (asObject(reasoning)?.summary ?? undefined) !== undefined
}

/** The same request without asking for a reasoning summary. */
export function withoutSummary<Request extends JsonObject>(request: Request): Request {
  const kept = Object.entries(objectOf(request.reasoning)).filter(
    ([name, value]) => name !== 'summary' && value !== undefined,
  )
  // JSON leaves out what is undefined.
  return { ...request, reasoning: kept.length === 0 ? undefined : Object.fromEntries(kept) }
}

/**
 * The same for a body already written. The request is not kept for this, since few models refuse, and each only once.
 */
export function bodyWithoutSummary(body: readonly Buffer[]): Buffer[] {
  const request = objectOf(JSON.parse(Buffer.concat(body).toString('utf8')))
  return [Buffer.from(JSON.stringify(withoutSummary(request)))]
}

/** Some models have no summaries, and the list of models does not say so (docs/upstream.md 4.5). */
export function isSummaryRefusal({ code, message }: ApiError): boolean {
  return code === 'unsupported_parameter' && message.includes("'reasoning.summary'")
}
