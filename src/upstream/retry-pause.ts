/** In milliseconds. If the wait would be longer, the client is told the time instead of being kept waiting. */
export const LONGEST_WAIT_MS = 5000

/** How long upstream asks to be left alone, in milliseconds; 0 if it gives no time, or gives it as a date. */
export function retryAfterMs(headers: { readonly 'retry-after'?: string | undefined }): number {
  return Number(headers['retry-after'] ?? 0) * 1000 || 0
}

/**
 * Milliseconds before the next try, after that many `retries`: doubled each time, randomly varied by half (a number in
 * [0, 1)), and never before upstream allows it.
 */
export function retryPause(firstMs: number, retries: number, chance: number, askedForMs: number): number {
  return Math.max(firstMs * 2 ** retries * (0.5 + chance), askedForMs)
}
