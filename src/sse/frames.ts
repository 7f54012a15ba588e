/** One event without a name, as Chat streams have them. JSON has no line breaks, so one `data` line does. */
export function dataFrame(payload: unknown): string {
  return `data: ${JSON.stringify(payload)}\n\n`
}

/** An event that names its type, as Responses streams have them. */
export function namedFrame(type: string, payload: unknown): string {
  return `event: ${type}\n${dataFrame(payload)}`
}

export const DONE_FRAME = 'data: [DONE]\n\n'

/** A comment: keeps connections awake and is ignored by every parser. */
export const KEEP_ALIVE_FRAME = ': keepalive\n\n'
