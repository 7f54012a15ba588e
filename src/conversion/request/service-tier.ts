import { shorten } from '../../foreign-text.ts'
import type { JsonPlace } from './json-place.ts'
import type { ReportedFields } from './reported-fields.ts'

/** The backend knows one tier besides its default; Codex calls it fast. `standard` is used if none is given. */
export function readServiceTier(place: JsonPlace, reported: ReportedFields, standard = 'auto'): 'priority' | undefined {
  const tier = place.optionalString() ?? standard
  if (tier === 'priority' || tier === 'fast') return 'priority'
  if (tier !== 'auto' && tier !== 'default') reported.add(place.path, `cannot be '${shorten(tier)}'`)
  return undefined
}
