import type { CredentialSource, Credentials } from './credentials.ts'

/**
 * Requests that arrive in one turn of the event loop share one check of auth.json: under load that is a dozen of them,
 * and checking was 3 % of what a request runs (docs/performance.md). A later turn always checks again.
 */
export function onceATurn(source: CredentialSource): CredentialSource {
  let seen: Credentials | undefined

  function forget(): void {
    seen = undefined
  }

  return {
    current() {
      if (seen !== undefined) return seen
      const current = source.current()
      if (current instanceof Promise) return current
      seen = current
      setImmediate(forget)
      return current
    },
    ready: () => source.ready(),
    replace(rejected, isFinal) {
      forget()
      // Once more at the end: until then other requests may have got what was refused.
      return source.replace(rejected, isFinal).finally(forget)
    },
    status: () => source.status(),
    close: () => source.close(),
  }
}
