import { ProxyError } from '../errors.ts'
import { shorten } from '../foreign-text.ts'
import { type Route, withoutSlash } from '../routes/api-request.ts'

export type RouteEntry = {
  readonly methods: readonly string[]
  /** A whole path, or with `/*` at its end all paths below. */
  readonly path: string
  /**
   * API requests are counted, logged and admitted. Metrics only need the client key. Probes are always answered, with
   * less for those without it.
   */
  readonly kind: 'api' | 'metrics' | 'probe'
  readonly handle: Route
  /** Takes every remaining path, so it does not show which methods a path has. */
  readonly fallback?: true
}

export type Router = {
  /** The entry for a path without its query: the first of the table that fits. */
  find(method: string, path: string): RouteEntry | undefined
  /** The error for a request that no route serves; `unserved` is the error of the fallback, if there was one. */
  refusal(method: string, path: string, unserved?: ProxyError): ProxyError
}

/** Characters of a path in a message. */
const LONGEST_SHOWN = 200

/** A dozen paths need no library: whole paths are looked up, then come the few that end in `/*`, in their order. */
export function createRouter(table: readonly RouteEntry[]): Router {
  const below = table
    .filter(({ path }) => path.endsWith('/*'))
    .map((entry) => ({ entry, start: entry.path.slice(0, -1) }))
  const whole = new Map(table.filter(({ path }) => !path.endsWith('/*')).map((entry) => [entry.path, entry]))
  const calls = [...whole.keys()].filter((path) => path.startsWith('/v1/')).map((path) => path.slice('/v1'.length))

  function fitting(given: string): RouteEntry[] {
    const path = withoutSlash(given)
    const exact = whole.get(path)
    const others = below.filter(({ start }) => path.startsWith(start)).map(({ entry }) => entry)
    return exact === undefined ? others : [exact, ...others]
  }

  /** Whether a known path follows something other than `/v1`: then the base URL of the client is wrong. */
  function hasWrongBase(given: string): boolean {
    const path = withoutSlash(given)
    return !whole.has(path) && calls.some((call) => path.endsWith(call))
  }

  return {
    find: (method, path) => {
      const exact = whole.get(path)
      if (exact?.methods.includes(method)) return exact
      return fitting(path).find(({ methods }) => methods.includes(method))
    },
    refusal(method, path, unserved) {
      if (unserved !== undefined && hasWrongBase(path)) return notFound(method, path)
      const entries = fitting(path)
      const known = entries.filter(({ fallback }) => fallback === undefined)
      if (known.length === 0 && unserved !== undefined) return unserved
      const allowed = (known.length === 0 ? entries : known).flatMap(({ methods }) => methods)
      if (allowed.length === 0) return notFound(method, path)
      const headers = { allow: [...new Set(allowed)].join(', ') }
      return new ProxyError('method_not_allowed', `${shorten(path, LONGEST_SHOWN)} does not support ${method}.`, {
        headers,
      })
    },
  }
}

function notFound(method: string, path: string): ProxyError {
  return new ProxyError('not_found', `There is no ${method} ${shorten(path, LONGEST_SHOWN)} here.`)
}
