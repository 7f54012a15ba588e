import type { JsonPlace } from './json-place.ts'
import type { ReportedFields } from './reported-fields.ts'

/** From the lowest to the highest; the API has all but the last two. */
export const EFFORTS: readonly string[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra']

/** The effort to send: what was asked for, or the nearest one that is listed for the model (case 103). */
export function readEffort(
  given: JsonPlace,
  model: { readonly id: string; readonly effort?: string },
  listed: readonly string[],
  reported: ReportedFields,
): string | undefined {
  const asked = given.optionalString() ?? model.effort
  if (asked === undefined) return undefined
  if (listed.includes(asked)) return effortOnTheWire(asked)
  const rank = EFFORTS.indexOf(asked)
  if (rank === -1) throw given.notOneOf(EFFORTS)
  const nearest = nearestEffort(rank, listed)
  if (nearest !== asked) {
    reported.add(given.absent ? 'model' : given.path, `has a reasoning effort that '${model.id}' does not have`)
  }
  return nearest === undefined ? undefined : effortOnTheWire(nearest)
}

/** The catalogue lists `ultra`, a mode of Codex that is no effort of upstream's (docs/upstream.md 4.3). */
export function effortOnTheWire(effort: string): string {
  return effort === 'ultra' ? 'max' : effort
}

/** The lower of two that are equally near; the asked one itself where none is known. */
function nearestEffort(rank: number, listed: readonly string[]): string | undefined {
  const ranks = listed.map((effort) => EFFORTS.indexOf(effort)).filter((each) => each !== -1)
  ranks.sort((a, b) => Math.abs(a - rank) - Math.abs(b - rank) || a - b)
  return EFFORTS[ranks[0] ?? rank]
}
