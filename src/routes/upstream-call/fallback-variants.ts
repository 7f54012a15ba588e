import type { LargeJson } from '../../conversion/request/large-json.ts'
import { toLiteRequest } from '../../conversion/request/lite-request.ts'
import type { ResponsesRequest } from '../../conversion/request/upstream-body.ts'
import { isReasoningRefusal, withoutReasoning } from '../../conversion/request/without-reasoning.ts'
import type { ApiError } from '../../errors.ts'
import type { RouteContext } from '../context.ts'
import type { Variant } from './upstream-call.ts'

/** Goes with a Lite-shaped body, derived from it and never copied from a client (case 188). */
export const LITE_HEADERS = { 'x-openai-internal-codex-responses-lite': 'true' }

/** A request before it is written, and its lane. */
type Draft = { readonly request: ResponsesRequest; readonly lite: boolean }

/**
 * What to send if upstream refuses the request: without reasoning, if it refuses that (case 110, 111); on the Lite
 * lane, if the model needs it (case 192); or both. Undefined if there is no fallback: then the request need not be kept.
 */
export function fallbackVariants(
  { config, catalogue }: Pick<RouteContext, 'config' | 'catalogue'>,
  body: ResponsesRequest,
  write: LargeJson['write'],
): Variant['fallback'] {
  const model = config.liteLane === 'auto' ? catalogue.peek().find(({ id }) => id === body.model) : undefined
  return fallbackOf({ request: body, lite: false })

  function fallbackOf(draft: Draft): Variant['fallback'] {
    const plain = withoutReasoning(draft.request)
    const hasReasoning = plain !== draft.request
    const hasOtherLane = model?.usesResponsesLite === true && !draft.lite
    if (!hasReasoning && !hasOtherLane) return undefined
    return (refusal) => {
      if (hasReasoning && isReasoningRefusal(refusal, shaped(draft))) return variant({ ...draft, request: plain })
      return hasOtherLane && isNotServed(refusal) ? variant({ ...draft, lite: true }) : undefined
    }
  }

  function variant(draft: Draft): Variant {
    return {
      body: () => write(shaped(draft)),
      headers: draft.lite ? LITE_HEADERS : {},
      fallback: fallbackOf(draft),
    }
  }
}

function shaped({ request, lite }: Draft): ResponsesRequest {
  return lite ? toLiteRequest(request) : request
}

/** The full lane does not have the model: the Lite lane may (docs/upstream.md 4.4). Responses has a 400 for that. */
function isNotServed({ status, code }: ApiError): boolean {
  return status === 404 || code === 'model_not_found'
}
