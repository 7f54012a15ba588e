/** Events that show a client nothing: an answer that fails after them can still become an HTTP error. */
const PRELUDE = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
  'response.metadata',
  'keepalive',
])

const TERMINAL = new Set(['response.completed', 'response.done', 'response.incomplete', 'response.failed', 'error'])

export function isPrelude(type: string): boolean {
  return PRELUDE.has(type) || isVendorEvent(type)
}

/** By which upstream talks to its own program, apart from the answer (case 123). */
export function isVendorEvent(type: string): boolean {
  return type.startsWith('codex.')
}

/**
 * Codex is told by these what it should say beside the answer; the API has none. The official clients throw on them, the
 * one for Node wherever they stand (docs/upstream.md 5.1).
 */
export function isOfCodex(type: string): boolean {
  return type === 'response.metadata'
}

/** Nothing that belongs to the answer comes after these; upstream may stay open all the same. */
export function isTerminal(type: string): boolean {
  return TERMINAL.has(type)
}
