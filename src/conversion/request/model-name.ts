import type { CatalogueModel } from './conversion-context.ts'
import type { JsonPlace } from './json-place.ts'
import type { ReportedFields } from './reported-fields.ts'

/** From the lowest to the highest; the API has all but the last two. */
const EFFORTS: readonly string[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra']
const EFFORT_NAMES = EFFORTS.join('|')

const PROVIDER = /^(?:openai|codex)\//
/** `-low`, `_low`, `:high`, `(xhigh)`, and `-fast` for the service tier that Codex calls so. */
const SUFFIX = new RegExp(`^(.+?)(?:[-_:](fast|${EFFORT_NAMES})|\\((fast|${EFFORT_NAMES})\\))$`)
/** Longer than any model name with all its suffixes. */
const LONGEST_NAME = 256

export type NamedModel = {
  readonly id: string
  /** From a suffix of the name, as is `fast`. */
  readonly effort?: string
  readonly fast?: true
}

/** Takes a name apart only if the catalogue knows a part of it but not the whole (case 16); else it passes (case 17). */
export function readModelName(name: string, catalogue: readonly CatalogueModel[]): NamedModel {
  const passes = catalogue.length === 0 || catalogue.some(({ id }) => id === name) || name.length > LONGEST_NAME
  if (passes) return { id: name }
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

/** The effort to send: what was asked for, or the nearest one that is listed for the model (case 103). */
export function readEffort(
  given: JsonPlace,
  model: NamedModel,
  listed: readonly string[],
  reported: ReportedFields,
): string | undefined {
  const asked = given.optionalString() ?? model.effort
  if (asked === undefined) return undefined
  if (listed.includes(asked)) return effortOnTheWire(asked)
  const rank = EFFORTS.indexOf(asked)
  if (rank === -1) throw given.notOneOf(EFFORTS)
  const nearest = listed.length === 0 ? asked : nearestEffort(rank, listed)
  if (nearest !== asked) {
    reported.add(given.absent ? 'model' : given.path, `has a reasoning effort that '${model.id}' does not have`)
  }
  return nearest === undefined ? undefined : effortOnTheWire(nearest)
}

/** The catalogue lists `ultra`, a mode of Codex that is no effort of upstream's (docs/upstream.md 4.3). */
export function effortOnTheWire(effort: string): string {
  return effort === 'ultra' ? 'max' : effort
}

/** The lower of two that are equally near. */
function nearestEffort(rank: number, listed: readonly string[]): string | undefined {
  const ranks = listed.map((effort) => EFFORTS.indexOf(effort)).filter((each) => each !== -1)
  ranks.sort((a, b) => Math.abs(a - rank) - Math.abs(b - rank) || a - b)
  return EFFORTS[ranks[0] ?? rank]
}
