import { ProxyError } from '../../errors.ts'
import { isCacheHint } from './cache-hints.ts'
import type { JsonPlace } from './json-place.ts'

const NOT_SUPPORTED = 'is not supported with a ChatGPT login'

/** Limits, since all names must fit into one header. */
const MOST_NAMES = 32
const LONGEST_NAME = 64
const NONE: readonly string[] = []

/** Requested fields that have no effect: reported to the client, or refused with `--strict`. */
export class ReportedFields {
  readonly #strict: boolean
  readonly #names = new Set<string>()

  constructor(strict: boolean) {
    this.#strict = strict
  }

  /** `reason` completes "Unsupported parameter: '<name>' …". */
  add(name: string, reason = NOT_SUPPORTED): void {
    if (this.#strict) throw unsupportedParameter(name, `${reason} (refused because of \`--strict\`)`)
    this.#names.add(name)
  }

  /**
   * Safe for a header: clients choose the names, and the header must contain neither line breaks nor further commas.
   */
  get names(): readonly string[] {
    // Always the same empty list: new ones have a different shape once this is optimised, and V8 recompiles the code
    // that reads them.
    if (this.#names.size === 0) return NONE
    const names = [...this.#names].map((name) => name.replace(/[^\x21-\x2b\x2d-\x7e]/g, '?').slice(0, LONGEST_NAME))
    return names.length <= MOST_NAMES ? names : [...names.slice(0, MOST_NAMES), `and-${names.length - MOST_NAMES}-more`]
  }
}

/** Worded like the API's (recorded: "Unsupported parameter: 'stop' is not supported with this model."). */
export function unsupportedParameter(name: string, reason = NOT_SUPPORTED): ProxyError {
  const shown = name.slice(0, LONGEST_NAME)
  return new ProxyError('unsupported_parameter', `Unsupported parameter: '${shown}' ${reason}.`, { param: shown })
}

/** Keys of an object that are neither converted nor honoured are reported by their path. */
export function reportOtherKeys(place: JsonPlace, known: readonly string[], reported: ReportedFields): void {
  if (place.absent) return
  for (const key of Object.keys(place.object())) {
    if (known.includes(key) || isCacheHint(key) || place.at(key).absent) continue
    reported.add(place.at(key).path, 'is not known')
  }
}
