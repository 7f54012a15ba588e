/** In milliseconds. A client that would have to wait longer is told so, with the time, and not left waiting. */
export const LONGEST_WAIT_MS = 5000

/** How long upstream wants to be left alone, in milliseconds; 0 where it says nothing, or says it as a date. */
export function retryAfterMs(headers: { readonly 'retry-after'?: string | undefined }): number {
  return Number(headers['retry-after'] ?? 0) * 1000 || 0
}

/**
 * Milliseconds before the next try, after so many `retries`: twice as long each time, give or take a half by chance
 * (a number in [0, 1)), and never before upstream wants it.
 */
export function retryPause(firstMs: number, retries: number, chance: number, askedForMs: number): number {
  return Math.max(firstMs * 2 ** retries * (0.5 + chance), askedForMs)
}
