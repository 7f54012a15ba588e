/** An answer that says no, exactly as the ChatGPT backend words it (docs/upstream.md 4.2–4.5). */
export type Refusal = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: object | string
}

export type Json = { readonly [key: string]: unknown }

export const detail = (text: string, status = 400): Refusal => ({ status, body: { detail: text } })

export const apiError = (message: string, param: string | null, code: string | null, status = 400): Refusal => ({
  status,
  body: { error: { message, type: 'invalid_request_error', param, code } },
})

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function unknownParameter(param: string): Refusal {
  return apiError(`Unknown parameter: '${param}'.`, param, 'unknown_parameter')
}

export function missingParameter(param: string): Refusal {
  return apiError(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter')
}

export function wrongType(param: string): Refusal {
  return apiError(`Invalid type for '${param}'.`, param, 'invalid_type')
}

/** The objects in a list. */
export function objectsOf(list: unknown): Json[] {
  return Array.isArray(list) ? list.filter(isJson) : []
}

const LONGEST_ID = 64

export function tooLong(value: unknown, param: string): Refusal | undefined {
  if (typeof value !== 'string' || value.length <= LONGEST_ID) return undefined
  return apiError(
    `Invalid '${param}': string too long. Expected a string with maximum length ${LONGEST_ID}, but got a string with length ${value.length} instead.`,
    param,
    'string_above_max_length',
  )
}

export function empty(value: unknown, param: string): Refusal | undefined {
  if (value !== '') return undefined
  const expected = 'Expected a string with minimum length 1, but got an empty string instead.'
  return apiError(`Invalid '${param}': empty string. ${expected}`, param, 'empty_string')
}
