import { asList, asObject, asString, type JsonObject } from '../../json-object.ts'

/** What upstream reported as wrong, in whichever form (case 157). */
export type UpstreamFailure = {
  readonly code: string | undefined
  readonly type: string | undefined
  /** Written for the user, never a raw body. */
  readonly message: string | undefined
  readonly param: string | undefined
  /** The error object as received; it says when limits end. */
  readonly details: JsonObject
}

const LONGEST_MESSAGE = 4000

/** Reads `{"error":…}`, `{"detail":…}` and the flat form; missing parts are undefined. */
export function upstreamFailure(body: JsonObject): UpstreamFailure {
  const error = asObject(body.error) ?? detailOf(body)
  const type = asString(error.type)
  return {
    code: asString(error.code),
    type: type === 'error' ? undefined : type,
    message: readable(asString(error.message) ?? asString(body.error)),
    param: asString(error.param),
    details: error,
  }
}

/** FastAPI's `detail` is a sentence, an error object, or a list of what is wrong with the body. */
function detailOf(body: JsonObject): JsonObject {
  const { detail } = body
  if (typeof detail === 'string') return { message: detail }
  const object = asObject(detail)
  if (object !== undefined) return asObject(object.error) ?? object
  const first = asObject(asList(detail)[0])
  if (first === undefined) return body
  const path = asList(first.loc).filter((step) => step !== 'body')
  return { message: first.msg, param: path.length === 0 ? undefined : path.join('.') }
}

/** The message, unless it is empty or a web page. */
function readable(message: string | undefined): string | undefined {
  const text = message?.trim() ?? ''
  return text === '' || isPage(text) ? undefined : text.slice(0, LONGEST_MESSAGE)
}

export function isPage(text: string): boolean {
  return /^\s*(?:<!--[^>]*-->\s*)?<(?:!doctype|html)/i.test(text)
}

/** The message with a full stop, so that another sentence can follow. */
export function asSentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`
}
