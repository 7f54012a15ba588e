import type { JsonPlace } from './json-place.ts'
import type { ReportedFields } from './reported-fields.ts'

/** From lowest to highest; the API has all but the last two. */
export const EFFORTS: readonly string[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra']

/** The effort to send: the requested one, or the nearest one listed for the model (case 103). */
export function readEffort(
  given: JsonPlace,
  model: { readonly id: string; readonly effort?: string },
  listed: readonly string[],
  reported: ReportedFields,
): string | undefined {
  const asked = given.optionalString() ?? model.effort
  if (asked === undefined) return undefined
  if (listed.includes(asked)) return effortOnTheWire(asked)
  if (!EFFORTS.includes(asked)) throw given.notOneOf(EFFORTS)
  const nearest = nearestEffort(asked, listed)
  if (nearest !== asked) {
    reported.add(given.absent ? 'model' : given.path, `has a reasoning effort that '${model.id}' does not have`)
  }
  return effortOnTheWire(nearest)
}

/** The catalogue lists `ultra`, a mode of Codex that upstream does not accept as an effort (docs/upstream.md 4.3). */
export function effortOnTheWire(effort: string): string {
  return effort === 'ultra' ? 'max' : effort
}

/** The lower of two that are equally near; the requested one itself if none is known. */
function nearestEffort(asked: string, listed: readonly string[]): string {
  const distance = (effort: string) => Math.abs(EFFORTS.indexOf(effort) - EFFORTS.indexOf(asked))
  const known = EFFORTS.filter((effort) => listed.includes(effort))
  return known.toSorted((a, b) => distance(a) - distance(b))[0] ?? asked
}
