import { hash } from 'node:crypto'
import type { JsonObject } from '../../json-object.ts'
import type { ConversionContext } from './conversion-context.ts'
import type { ResponsesRequest } from './upstream-body.ts'

/** Within upstream's limit for the key, and safe as a header value. */
const PLAIN_TOKEN = /^[A-Za-z0-9._-]{1,64}$/

/** What a request sends upstream that distinguishes one conversation from others. */
type Conversation = Pick<ResponsesRequest, 'model' | 'instructions' | 'input'> & { readonly tools?: unknown }

/**
 * A key shared by all requests of a conversation, and only by them: derived from what does not change while the
 * conversation grows (case 181, 182). A UUID, like Codex's own keys (version 8: custom, RFC 9562 §5.8).
 */
export function derivePromptCacheKey(
  { model, instructions, tools = [], input }: Conversation,
  stableJson: ConversionContext['stableJson'],
): string {
  const digest = sha256(stableJson([model, instructions, tools, openingOf(input)]))
  const variant = ((Number.parseInt(digest.charAt(16), 16) % 4) + 8).toString(16)
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-')
}

/** The messages up to the first user message; without one, the system messages at the beginning. */
function openingOf(input: readonly JsonObject[]): readonly JsonObject[] {
  const user = input.findIndex(({ role }) => role === 'user')
  if (user !== -1) return input.slice(0, user + 1).filter(({ type }) => type === 'message')
  const end = input.findIndex(({ role }) => role !== 'developer')
  return end === -1 ? input : input.slice(0, end)
}

/** The value of the session headers: the key itself, or its hash if it does not fit a header. */
export function sessionHeaderValue(key: string): string {
  return PLAIN_TOKEN.test(key) ? key : sha256(key)
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}
