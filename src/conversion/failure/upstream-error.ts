import { blockedError, rayOf } from '../../blocked.ts'
import { ERRORS } from '../../error-table.ts'
import { ApiError, errorType, ProxyError } from '../../errors.ts'
import { asNumber, asObject, asString, isObject, type JsonObject, objectOf, parseObject } from '../../json-object.ts'
import { chatParam } from './error-param.ts'
import { limitHeaders, type UpstreamHeaders } from './limit-headers.ts'
import { limitMessage } from './limit-message.ts'
import { asSentence, isPage, type UpstreamFailure, upstreamFailure } from './upstream-failure.ts'

/** The route an error is for: Chat and Responses name the same mistake differently. */
export type ErrorRoute = 'chat' | 'responses'

/** The headers of an answer, which also report limits, and when they arrived, in milliseconds since the epoch. */
export type AnswerHead = { readonly headers: UpstreamHeaders; readonly now: number | undefined }

export const NO_HEAD: AnswerHead = { headers: {}, now: undefined }

/** Where the failure came from: the status and headers of an answer, or what an event says in their place. */
type Origin = AnswerHead & { readonly status: number | undefined }
type AnsweredOrigin = AnswerHead & { readonly status: number }

const REFUSED = { status: 400, type: 'invalid_request_error' }
/** Clients retry a 429 unless told not to, and these limits last longer than any retry. */
const LIMITED = { status: 429, type: 'insufficient_quota', headers: { 'x-should-retry': 'false' } }
/**
 * Limits of the plan. Their type is the code, as upstream sends it and Codex needs it: clients take
 * `insufficient_quota` for an unpaid bill.
 */
const ofPlan = (code: string) => [code, { ...LIMITED, type: code }] as const
const BUSY = { status: 503 }
const FORBIDDEN = { status: 403 }

type Meaning = { readonly status: number; readonly type?: string; readonly headers?: Readonly<Record<string, string>> }

/** What upstream's codes mean, whatever status they come with (docs/upstream.md 5.2). `docs/errors.md` lists them. */
export const UPSTREAM_CODES: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['context_length_exceeded', REFUSED],
  ['invalid_prompt', REFUSED],
  ['cyber_policy', REFUSED],
  ['bio_policy', REFUSED],
  ['misalignment_policy_violation', REFUSED],
  ['content_policy_violation', REFUSED],
  ['access_program_not_enabled', FORBIDDEN],
  ['inference_hook_denied', FORBIDDEN],
  ofPlan('usage_limit_reached'),
  ofPlan('usage_not_included'),
  ['insufficient_quota', LIMITED],
  ['credit_balance_exhausted', LIMITED],
  ['organization_spend_limit_exceeded', LIMITED],
  ['organization_usage_limit_exceeded', LIMITED],
  ['project_spend_limit_exceeded', LIMITED],
  ['rate_limit_exceeded', { status: 429 }],
  ['flex_unavailable', { status: 429 }],
  ['server_is_overloaded', BUSY],
  ['overloaded_error', BUSY],
  ['slow_down', BUSY],
  ['policy_capacity_unavailable', BUSY],
])

/** Sentences by which upstream reports what it has no code for, and the code we assign. */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/^(?:the )?(?:requested )?model\b.{0,200}(?:does not exist|not found)/i, 'model_not_found'],
  [/\bmodel is not supported when using Codex\b/i, 'model_not_found'],
  [
    /exceeds? the context window|maximum context length|ran out of room in the model's context/i,
    'context_length_exceeded',
  ],
  [/\bat capacity\b|\boverloaded\b/i, 'server_is_overloaded'],
  [/^Unsupported parameter\b/i, 'unsupported_parameter'],
]
const OTHER_WORKSPACE = 'Sign in again with `codex login` and choose another one.'
/**
 * Messages for failures that upstream reports only by a code (docs/upstream.md 5.3), since most clients show only the
 * message.
 */
const WORDLESS: ReadonlyMap<string, string> = new Map([
  ['deactivated_workspace', `The ChatGPT workspace of this login is deactivated. ${OTHER_WORKSPACE}`],
  ['invalid_workspace_selected', `This login may not use its ChatGPT workspace. ${OTHER_WORKSPACE}`],
  [
    'codex_workspace_access_denied',
    `Codex is not allowed in the ChatGPT workspace of this login: ask its administrator. ${OTHER_WORKSPACE}`,
  ],
])
/** A 401 that no new login cures: something that inspects TLS has removed the header (docs/upstream.md 5.3). */
const LOGIN_TAKEN_OUT = /login did not make it to this service/i
/** Upstream has refused what it accepts at other times (docs/upstream.md 5.3). */
const REFUSED_REMEDY =
  'Send the request again in a moment; if it is refused again, check login and network with `codex-api-proxy doctor`.'
const OUTDATED_CLIENT = /requires a newer version of Codex/i
const UNSUPPORTED_PARAMETER = /^Unsupported parameter: '?([\w.[\]]+)/i

/** The error that an upstream answer other than 2xx stands for. */
export function upstreamError(origin: AnsweredOrigin, body: string, route: ErrorRoute): ApiError {
  // Anything but a JSON object, such as a web page, is handled by `unexplained`.
  const json = parseObject(body)
  const failure = json === undefined ? undefined : upstreamFailure(json)
  if (failure?.message === undefined && failure?.code === undefined) return unexplained(origin, body, route)
  return explained(failure, route, origin)
}

/**
 * The error that an event stands for; undefined if the event is not a failure. `error` is flat or nested, and is often
 * followed by `response.failed` for the same failure.
 */
export function eventError(event: unknown, route: ErrorRoute, head = NO_HEAD): ApiError | undefined {
  const fields = asObject(event)
  const response = asObject(fields?.response)
  if (fields === undefined || !isFailure(fields, response)) return undefined

  const failure = upstreamFailure(response === undefined ? fields : { error: response.error })
  const origin = {
    status: asNumber(fields.status) ?? asNumber(fields.status_code),
    headers: { ...head.headers, ...headersIn(fields), ...headersIn(failure.details) },
    now: head.now,
  }
  return explained(failure, route, origin)
}

/** For a stream that ended without a terminal event: half an answer, whatever it holds (case 166). */
export function unfinishedError(): ProxyError {
  return new ProxyError('upstream_stream_cut', 'Upstream closed the stream before the answer was complete.')
}

/** Events and their errors may carry headers of their own (docs/upstream.md 5.2). */
function headersIn(object: JsonObject): UpstreamHeaders {
  const entries = Object.entries(objectOf(object.headers))
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), sendable(value)]))
}

/** JSON can say what HTTP can't carry: with such a header the whole answer could not be sent. */
function sendable(value: unknown): string | undefined {
  const text = asString(value)
  return text !== undefined && /^[ -~]*$/.test(text) ? text : undefined
}

function isFailure({ type }: JsonObject, response: JsonObject | undefined): boolean {
  if (type === 'error' || type === 'response.failed') return true
  return (type === 'response.completed' || type === 'response.done') && response?.status === 'failed'
}

function explained(failure: UpstreamFailure, route: ErrorRoute, origin: Origin): ApiError {
  const { message = wordsFor(failure), details } = failure
  const code = codeOf(failure, message)
  const known = code === undefined ? undefined : UPSTREAM_CODES.get(code)
  const status = known?.status ?? statusOf(failure, origin.status)
  const own = ownError({ message, code, status }, route)
  if (own !== undefined) return own

  const param = failure.param ?? UNSUPPORTED_PARAMETER.exec(message)?.[1]
  const waits = status === 429 || status === 503 ? limitHeaders(details, message, origin.headers, origin.now) : {}
  const isUsageLimit = code === 'usage_limit_reached'
  const resetsIn = waits['x-ratelimit-reset-requests']
  return new ApiError(isUsageLimit ? limitMessage(message, resetsIn, origin.headers) : message, {
    status,
    type: known?.type ?? (failure.type === code ? undefined : failure.type) ?? typeFor(status),
    param: param === undefined ? null : route === 'chat' ? chatParam(param) : param,
    code: code ?? (status >= 500 ? 'upstream_error' : null),
    headers: { ...waits, ...known?.headers },
    details: { ...(isUsageLimit && limitDetails(details)), ...reviewDetails(details) },
  })
}

/** The error for a failure that has a remedy of ours, or another form on each route. */
function ownError(
  { message, code, status }: { message: string; code: string | undefined; status: number },
  route: ErrorRoute,
): ApiError | undefined {
  if (OUTDATED_CLIENT.test(message)) return new ProxyError('client_version_outdated', asSentence(message))
  if (LOGIN_TAKEN_OUT.test(message)) {
    const taken = 'Upstream got the request without the login: something on the way removed it.'
    return new ProxyError('upstream_blocked', taken)
  }
  if (code === 'model_not_found') return unknownModel(message, route)
  const isTooLarge = status === 413 && code === undefined
  return isTooLarge ? new ProxyError('upstream_body_limit', asSentence(message)) : undefined
}

function wordsFor({ code }: UpstreamFailure): string {
  if (code === undefined) return `Upstream failed without saying why. ${ERRORS.upstream_error.remedy}`
  return WORDLESS.get(code) ?? `Upstream failed without saying why, with the code ${code.slice(0, 64)}.`
}

/** Fields that Codex shows its user. */
function limitDetails({ plan_type, resets_at, resets_in_seconds }: JsonObject): Readonly<Record<string, unknown>> {
  return {
    ...(typeof plan_type === 'string' && { plan_type }),
    ...(typeof resets_at === 'number' && { resets_at }),
    ...(typeof resets_in_seconds === 'number' && { resets_in_seconds }),
  }
}

/** What was blocked, and the name under which to continue anyway, which Codex offers its user. */
function reviewDetails({ misalignment }: JsonObject): Readonly<Record<string, unknown>> {
  return isObject(misalignment) ? { misalignment } : {}
}

/** Upstream has put codes into `type` (docs/upstream.md 6.2). */
function codeOf(failure: UpstreamFailure, message: string): string | undefined {
  if (failure.code !== undefined) return failure.code
  if (failure.type !== undefined && UPSTREAM_CODES.has(failure.type)) return failure.type
  return SENTENCES.find(([pattern]) => pattern.test(message))?.[1]
}

function statusOf({ code, type }: UpstreamFailure, status: number | undefined): number {
  if (status !== undefined && status >= 400 && status < 520) return status
  if (status !== undefined) return 502
  // Refusals of a request have also had the shorter type (docs/upstream.md 5.2).
  const isRefusal = type === 'invalid_request_error' || type === 'invalid_request'
  return isRefusal || /^invalid_|image/.test(code ?? '') ? 400 : 502
}

/** A 403 of upstream is about the account; ours are about who may ask. */
function typeFor(status: number): string {
  return status === 403 ? 'permission_error' : errorType(status)
}

/** Chat answers an unknown model with 404 and no `param`, Responses with 400 and `model` (both recorded). */
function unknownModel(message: string, route: ErrorRoute): ApiError {
  if (route === 'chat') return new ProxyError('model_not_found', asSentence(message))
  return new ApiError(message, { ...REFUSED, param: 'model', code: 'model_not_found' })
}

/** An answer without anything a client could use: a web page, an empty body, plain text. */
function unexplained(origin: AnsweredOrigin, body: string, route: ErrorRoute): ApiError {
  const { status, headers } = origin
  const blocked = blockedError(status, headers, status === 403)
  if (blocked !== undefined) return blocked
  const ray = rayOf(headers)
  if (status === 413) {
    // Worded so that agents recognise that they have to shorten the conversation.
    return new ProxyError('upstream_body_limit', `Upstream answered 413, Request Entity Too Large${ray}.`)
  }
  if (status === 401) return new ProxyError('upstream_rejected_credentials', `Upstream refused the credentials${ray}.`)
  const what = body.trim() === '' ? 'nothing' : isPage(body) ? 'a web page' : 'a body that is not an API error'
  const message = `Upstream answered ${status} with ${what}${ray}.`
  if (status < 400) return new ProxyError('upstream_invalid', message)
  const remedy = status < 500 ? REFUSED_REMEDY : ERRORS.upstream_error.remedy
  return explained(upstreamFailure({ message: `${message} ${remedy}` }), route, origin)
}
