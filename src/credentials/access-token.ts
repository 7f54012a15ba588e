import { type JsonObject, objectOf, parseJson } from '../json-object.ts'

/**
 * The claims of a JSON Web Token; none for an opaque token. The signature isn't checked: tokens are only passed on,
 * never trusted (RFC 7519 §3, payload as base64url without padding).
 */
export function claimsOf(token: string): JsonObject {
  const [, payload, signature] = token.split('.')
  if (payload === undefined || signature === undefined) return {}
  return objectOf(parseJson(Buffer.from(payload, 'base64url').toString('utf8')))
}

/** The latest time a Date can hold, in milliseconds since the epoch. */
const LAST_TIME_MS = 8.64e15

/**
 * When the token expires, in milliseconds since the epoch (`exp`, RFC 7519 §4.1.4, in seconds). Undefined if it does
 * not say, or names a time that a Date can't hold.
 */
export function expiresAt(claims: JsonObject): number | undefined {
  const { exp } = claims
  return typeof exp === 'number' && Math.abs(exp * 1000) <= LAST_TIME_MS ? exp * 1000 : undefined
}

/**
 * How long before its expiry an access token is refreshed (docs/upstream.md 2.3). Covers the longest usual start of a
 * stream.
 */
const EXPIRY_MARGIN_MS = 5 * 60_000
/** When tokens without a readable expiry are refreshed, counted from the last refresh (docs/upstream.md 2.3). */
const REFRESH_INTERVAL_MS = 8 * 24 * 3600_000

/** When the token should be refreshed; Infinity if unknown. All times in milliseconds since the epoch. */
export function staleAt(expiry: number | undefined, lastRefresh: number | undefined): number {
  if (expiry !== undefined) return expiry - EXPIRY_MARGIN_MS
  return lastRefresh === undefined ? Number.POSITIVE_INFINITY : lastRefresh + REFRESH_INTERVAL_MS
}

/** The account claims that OpenAI puts into both the id token and the access token (docs/upstream.md 3). */
export function accountClaims(claims: JsonObject): JsonObject {
  return objectOf(claims['https://api.openai.com/auth'])
}
