import { type Cancellation, withDeadline } from '../../cancellation.ts'
import { type ErrorRoute, upstreamError } from '../../conversion/failure/upstream-error.ts'
import { asSentence } from '../../conversion/failure/upstream-failure.ts'
import { type ApiError, ProxyError } from '../../errors.ts'
import type { UpstreamAnswer } from '../../upstream/answer.ts'
import { readBody } from '../../upstream/read-body.ts'
import type { RouteContext } from '../context.ts'

/** A larger body is not an error body. */
const MAX_ERROR_BYTES = 256 * 1024

/** The error for an answer other than 200. */
export async function refusalOf(context: RouteContext, route: ErrorRoute, answer: UpstreamAnswer): Promise<ApiError> {
  const body = await readBody(answer.body, MAX_ERROR_BYTES).then(
    (bytes) => bytes.toString('utf8'),
    // An unreadable body tells nothing; the status still does.
    () => '',
  )
  const { status, headers } = answer
  const error = upstreamError({ status, headers, now: context.now() }, body, route)
  return status === 401 ? refusedLogin(error) : error
}

/** Includes upstream's reason: signing in again helps against few of them, and not if the account is deactivated. */
function refusedLogin(refusal: ApiError): ApiError {
  if (refusal instanceof ProxyError) return refusal
  const message = `Upstream does not accept the credentials in auth.json: ${asSentence(refusal.message)}`
  return new ProxyError('upstream_rejected_credentials', message)
}

/** Fetching the list may take ten seconds, which is too long for the names of other models. */
const NAMES_WITHIN_MS = 2000

/** The refusal of a model lists those available (case 163); without a list its remedy says where to look. */
export async function nameModels(
  { catalogue }: RouteContext,
  refusal: ApiError,
  cancellation: Cancellation,
): Promise<void> {
  const late = new Error('The list of models takes too long.')
  const { models } = await withDeadline(NAMES_WITHIN_MS, late, () => catalogue.list(), cancellation).catch(() => ({
    models: [],
  }))
  if (models.length === 0) return
  refusal.message = `${asSentence(refusal.message)} This login has ${models.map(({ slug }) => slug).join(', ')}.`
}
