import { hash } from 'node:crypto'

/** Within upstream's limit for the key, and safe as a header value. */
const PLAIN_TOKEN = /^[A-Za-z0-9._-]{1,64}$/

/**
 * A key that all requests of a conversation have in common, and only they: made of what does not change while the
 * conversation grows (case 181, 182). A UUID, like Codex's own keys (version 8: custom, RFC 9562 §5.8).
 */
export function derivePromptCacheKey(conversation: string): string {
  const digest = sha256(conversation)
  const variant = ((Number.parseInt(digest.charAt(16), 16) % 4) + 8).toString(16)
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-')
}

/** The value of the session headers: the key itself, or its hash where it does not fit a header. */
export function sessionHeaderValue(key: string): string {
  return PLAIN_TOKEN.test(key) ? key : sha256(key)
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}
