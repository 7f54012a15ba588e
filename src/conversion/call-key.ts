import { hash } from 'node:crypto'
import { isObject } from '../json-object.ts'
import { hasTooManyValues } from '../json-text.ts'

export type CallKind = 'function' | 'custom'

/** A tool call as both sides know it: `text` is the arguments of a function, or the input of a custom tool. */
export type ToolCall = { readonly callId: string; readonly name: string; readonly text: string }

/**
 * A key that is the same for a call and its replay, and different for every other call. An id alone is not enough,
 * since ids are reused in later rounds and other conversations (case 78; recorded: `resp-misc-reused-call-id-stream`).
 */
export function callKey({ callId, name, text }: ToolCall): string {
  return hash('sha256', JSON.stringify([plainId(callId), name, canonical(text)]), 'base64')
}

/** OpenClaw removes everything but letters and digits from ids: `call_1a` comes back as `call1a`. */
function plainId(id: string): string {
  return id.replace(/[^a-z0-9]/gi, '')
}

/** Clients may parse arguments and serialise them again: the order of keys, white space and escapes do not count. */
function canonical(text: string): string {
  if (hasTooManyValues(text)) return text
  try {
    return JSON.stringify(JSON.parse(text), sortedKeys)
  } catch (error) {
    // Not JSON, like the input of custom tools, or nested too deeply: then the texts have to be equal.
    if (error instanceof SyntaxError || error instanceof RangeError) return text
    throw error
  }
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
