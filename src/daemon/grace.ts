/**
 * What a stop may take beside the running answers. A token refresh under way is waited for: it has spent the refresh
 * token, and cut off before the new one is saved the user would have to log in again. It may begin as late as the last
 * answer ends, and takes up to the limit of a token request (`upstream/token-request.ts`; a test holds the two
 * together); the rest is for closing.
 */
export const STOP_GRACE_MS = 65_000
