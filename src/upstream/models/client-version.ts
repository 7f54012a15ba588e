import { CODEX_VERSION } from '../../config/parsers.ts'
import type { CodexModelsCache } from './codex-models-cache.ts'

/** The version of Codex that this program was written against and is tested with; sent upstream if no newer one is known. */
export const BUILT_IN_VERSION = '0.171.0'

/** Every request needs the version, so the file is checked no more often than this. */
const LOOK_AGAIN_MS = 1000

/**
 * The Codex version sent to upstream, which hides newer models from older versions (docs/upstream.md 4.2): the setting,
 * else that of the Codex that last fetched the models on this machine, unless this program was written against a newer
 * one: the version of such an old Codex would hide models that this program can use. `now` in milliseconds, monotonic.
 */
export function createClientVersion(
  setting: string | undefined,
  cache: () => CodexModelsCache,
  now: () => number,
): () => string {
  if (setting !== undefined) return () => setting
  let lookedAt = Number.NEGATIVE_INFINITY
  let version = BUILT_IN_VERSION
  return () => {
    if (now() - lookedAt < LOOK_AGAIN_MS) return version
    lookedAt = now()
    const { clientVersion = '' } = cache()
    version = CODEX_VERSION.test(clientVersion) && isNewer(clientVersion) ? clientVersion : BUILT_IN_VERSION
    return version
  }
}

/** Compares numbers: 0.99.0 is older than 0.171.0; and a prerelease (0.171.0-alpha.3) is not newer than its release. */
function isNewer(version: string): boolean {
  const [release = ''] = version.split('-')
  return release.localeCompare(BUILT_IN_VERSION, 'en', { numeric: true }) > 0
}
