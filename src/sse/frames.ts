import { unicodeEscape } from '../foreign-text.ts'

/**
 * Characters that end a line for Python's `splitlines`, and so for clients that read a stream with httpx's
 * `iter_lines()`, but neither in JSON nor in an event stream.
 */
export const LINE_ENDS = /[\u0085\u2028\u2029]/

/** One event without a name, as Chat streams have them. JSON has no line breaks, so one `data` line does. */
export function dataFrame(payload: unknown): string {
  const json = JSON.stringify(payload)
  return `data: ${LINE_ENDS.test(json) ? withoutLineEnds(json) : json}\n\n`
}

function withoutLineEnds(json: string): string {
  return json.replace(new RegExp(LINE_ENDS, 'g'), unicodeEscape)
}

/** An event that names its type, as Responses streams have them. */
export function namedFrame(type: string, payload: unknown): string {
  return `event: ${type}\n${dataFrame(payload)}`
}

export const DONE_FRAME = 'data: [DONE]\n\n'

/** A comment: keeps connections awake and is ignored by every parser. */
export const KEEP_ALIVE_FRAME = ': keepalive\n\n'
