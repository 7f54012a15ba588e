/** How a marker begins: a private-use character, its kind, and another such character before its sources. */
const BEGINNINGS = ['\uE200cite\uE202', '\uE200filecite\uE202']
const FIRST = '\uE200'
/** Anything longer is text: it must not be held back for ever. In UTF-16 units, without beginning and end. */
const LONGEST = 900
const MARKER = new RegExp(`\uE200(?:file)?cite\uE202[^\uE200\uE201]{0,${LONGEST}}\uE201`, 'g')

/** Whether a text contains a marker, or the beginning of one. */
export function hasMarker(text: string): boolean {
  return text.includes(FIRST)
}

/**
 * The text without the markers by which models cite, `cite` and source ids between U+E200 and U+E201: only ChatGPT's
 * own page can show them (docs/upstream.md 5.1).
 */
export function withoutMarkers(text: string): string {
  if (!hasMarker(text)) return text
  const shorter = text.replace(MARKER, '')
  // The text around a removed marker may now form one, just as in a text that arrives in pieces.
  return shorter.length === text.length ? text : withoutMarkers(shorter)
}

/** Where markers are, in UTF-16 units. */
export function markersIn(text: string): readonly { readonly from: number; readonly to: number }[] {
  if (!hasMarker(text)) return []
  return [...text.matchAll(MARKER)].map(({ 0: marker, index }) => ({ from: index, to: index + marker.length }))
}

/** The same for text that arrives in pieces: `held` may become a marker and is prepended to the next piece. */
export function passedMarkers(piece: string): { passed: string; held: string } {
  const text = withoutMarkers(piece)
  const at = heldFrom(text)
  return { passed: text.slice(0, at), held: text.slice(at) }
}

/** An unfinished marker may contain another one, which will be removed from it. Finished ones are already removed. */
function heldFrom(text: string): number {
  let from = text.length
  let at = text.lastIndexOf(FIRST)
  while (at !== -1 && mayBecomeMarker(text.slice(at, from))) {
    from = at
    at = at === 0 ? -1 : text.lastIndexOf(FIRST, at - 1)
  }
  return from
}

function mayBecomeMarker(text: string): boolean {
  const beginning = BEGINNINGS.find((each) => text.startsWith(each))
  if (beginning === undefined) return BEGINNINGS.some((each) => each.startsWith(text))
  return text.length - beginning.length <= LONGEST
}
