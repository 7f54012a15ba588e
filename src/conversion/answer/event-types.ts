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

/** Events for upstream's own programs, apart from the answer (case 123). */
export function isVendorEvent(type: string): boolean {
  return type.startsWith('codex.')
}

/**
 * Events that tell Codex what to say besides the answer; the API has none. The official clients throw on them, the one
 * for Node wherever they occur (docs/upstream.md 5.1).
 */
export function isOfCodex(type: string): boolean {
  return type === 'response.metadata'
}

/** Nothing that belongs to the answer follows these; upstream may stay open anyway. */
export function isTerminal(type: string): boolean {
  return TERMINAL.has(type)
}
