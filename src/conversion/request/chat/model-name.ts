import type { CatalogueModel } from '../conversion-context.ts'
import { EFFORTS } from '../effort.ts'

const EFFORT_NAMES = EFFORTS.join('|')
const PROVIDER = /^(?:openai|codex)\//
/** `-low`, `_low`, `:high`, `(xhigh)`, and `-fast` for the service tier that Codex calls so. */
const SUFFIX = new RegExp(`^(.+?)(?:[-_:](fast|${EFFORT_NAMES})|\\((fast|${EFFORT_NAMES})\\))$`)
/** Longer than any model name with all its suffixes. */
const LONGEST_NAME = 256

export type NamedModel = {
  readonly id: string
  /** From a suffix of the name, like `fast`. */
  readonly effort?: string
  readonly fast?: true
}

/** Whether a name may be that of a model with a provider or a suffix; only the catalogue can tell. */
export function hasAddition(name: string): boolean {
  return name.length <= LONGEST_NAME && (PROVIDER.test(name) || SUFFIX.test(name))
}

/**
 * Splits a name only if the catalogue has a part of it but not the whole (case 16); else it passes unchanged (case 17).
 */
export function readModelName(name: string, catalogue: readonly CatalogueModel[]): NamedModel {
  if (!hasAddition(name)) return { id: name }
  const known = new Set(catalogue.map(({ id }) => id))
  return withoutSuffixes(name, known) ?? withoutSuffixes(name.replace(PROVIDER, ''), known) ?? { id: name }
}

function withoutSuffixes(name: string, known: ReadonlySet<string>): NamedModel | undefined {
  if (known.has(name)) return { id: name }
  const [, base, plain, bracketed] = SUFFIX.exec(name) ?? []
  const suffix = plain ?? bracketed
  const model = base === undefined ? undefined : withoutSuffixes(base, known)
  if (model === undefined || suffix === undefined) return undefined
  return { ...model, ...(suffix === 'fast' ? { fast: true } : { effort: suffix }) }
}
