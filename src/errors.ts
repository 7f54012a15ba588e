import { ERRORS, type ErrorCode } from './error-table.ts'
import { isOneOf } from './system/error-code.ts'

/** The body every error answer has (https://platform.openai.com/docs/guides/error-codes). */
type ApiErrorBody = {
  error: { message: string; type: string; param: string | null; code: string | null; [detail: string]: unknown }
}

type ApiErrorInit = {
  status: number
  type: string
  param?: string | null
  code: string | null
  /** Extra answer headers, e.g. `retry-after`. */
  headers?: Readonly<Record<string, string>>
  /** Further fields of upstream's error object that clients know. */
  details?: Readonly<Record<string, unknown>>
  cause?: unknown
}

/** The `type` of OpenAI's error body. It follows from the status. */
export function errorType(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** An error as a client sees it. The message never contains a token, a header, a prompt or a raw upstream body. */
export class ApiError extends Error {
  override readonly name: string = 'ApiError'
  readonly status: number
  readonly type: string
  readonly param: string | null
  readonly code: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, init: ApiErrorInit) {
    super(message, { cause: init.cause })
    this.status = init.status
    this.type = init.type
    this.param = init.param ?? null
    this.code = init.code
    this.headers = init.headers ?? {}
    this.details = init.details ?? {}
  }
}

/** A failure of `error-table.ts`: `message` says what happened, the remedy of its row says what to do. */
export class ProxyError extends ApiError {
  override readonly name = 'ProxyError'
  override readonly code: ErrorCode
  readonly remedy: string

  constructor(
    code: ErrorCode,
    message: string,
    details: { param?: string; headers?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    const { status, remedy } = ERRORS[code]
    super(message, { status, type: errorType(status), code, ...details })
    this.code = code
    this.remedy = remedy
  }
}

/**
 * Some modules are loaded on first use, when the package may already be gone or replaced. Undefined for other errors.
 */
export function missingModule(error: unknown): ProxyError | undefined {
  if (!isOneOf(error, ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'])) return undefined
  const message = 'A part of the proxy is missing: the package was removed or replaced while it ran.'
  return new ProxyError('program_replaced', message, { cause: error })
}

/** Anything thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/** Anything thrown, as an error a client may see. An unforeseen error reveals no details. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  return missingModule(error) ?? new ProxyError('internal_error', 'The proxy failed unexpectedly.', { cause: error })
}

/** The one place that makes error bodies. */
export function errorBody(error: ApiError): ApiErrorBody {
  const message = error instanceof ProxyError ? `${error.message} ${error.remedy}` : error.message
  return { error: { message, type: error.type, param: error.param, code: error.code, ...error.details } }
}
