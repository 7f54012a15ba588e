import type { LargeJson } from '../../conversion/request/large-json.ts'
import { toLiteRequest } from '../../conversion/request/lite-request.ts'
import type { ResponsesRequest } from '../../conversion/request/upstream-body.ts'
import { isReasoningRefusal, withoutReasoning } from '../../conversion/request/without-reasoning.ts'
import type { ApiError } from '../../errors.ts'
import type { RouteContext } from '../context.ts'
import { LITE_HEADERS, type Variant } from './upstream-call.ts'

/**
 * What to send when upstream refuses the request: without reasoning, if it refuses that (case 110, 111); on the Lite lane,
 * if the model needs it (case 192); both.
 */
export function lesserVariants(
  { config, catalogue }: Pick<RouteContext, 'config' | 'catalogue'>,
  body: ResponsesRequest,
  write: LargeJson['write'],
): Variant[] {
  const plain = withoutReasoning(body)
  const hasReasoning = plain !== body
  const full: Variant = { body: () => write(plain), after: (refusal) => isReasoningRefusal(refusal, body) }
  const variants = hasReasoning ? [full] : []
  const model = config.liteLane === 'auto' ? catalogue.peek().find(({ id }) => id === body.model) : undefined
  if (model?.usesResponsesLite !== true) return variants

  const lite: Variant = {
    body: () => write(toLiteRequest(body)),
    headers: LITE_HEADERS,
    after: (refusal, refused) => refused !== full && isNotServed(refusal),
  }
  const plainLite: Variant = {
    body: () => write(toLiteRequest(plain)),
    headers: LITE_HEADERS,
    after: (refusal, refused) =>
      refused === full ? isNotServed(refusal) : refused === lite && isReasoningRefusal(refusal, toLiteRequest(body)),
  }
  return hasReasoning ? [...variants, lite, plainLite] : [lite]
}

/** The full lane does not have the model: the Lite lane may (docs/upstream.md 4.4). Responses has a 400 for that. */
function isNotServed({ status, code }: ApiError): boolean {
  return status === 404 || code === 'model_not_found'
}
