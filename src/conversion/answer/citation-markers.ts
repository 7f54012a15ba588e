/** How a marker begins: a private-use character, its kind, and another such character before its sources. */
const BEGINNINGS = ['\uE200cite\uE202', '\uE200filecite\uE202']
const FIRST = '\uE200'
/** Anything longer is text: it must not be held back for ever. In UTF-16 units, without beginning and end. */
const LONGEST = 900
const MARKER = `\uE200(?:file)?cite\uE202[^\uE200\uE201]{0,${LONGEST}}\uE201`
const MARKERS = new RegExp(MARKER, 'g')
const WHOLE = new RegExp(`^${MARKER}$`)
/** Between such pieces no marker begins or ends. */
const BETWEEN_PIECES = /(?=\uE200)|(?<=\uE201)/

/** Whether a text contains a marker, or the beginning of one. */
export function hasMarker(text: string): boolean {
  return text.includes(FIRST)
}

/**
 * The text without the markers by which models cite, `cite` and source ids between U+E200 and U+E201: only ChatGPT's
 * own page can show them (docs/upstream.md 5.1).
 */
export function withoutMarkers(text: string): string {
  const filter = new MarkerFilter()
  return filter.push(text) + filter.end()
}

/** Where markers are, in UTF-16 units. */
export function markersIn(text: string): readonly { readonly from: number; readonly to: number }[] {
  if (!hasMarker(text)) return []
  return [...text.matchAll(MARKERS)].map(({ 0: marker, index }) => ({ from: index, to: index + marker.length }))
}

/**
 * Removes markers from text that arrives in pieces. Holds back what may become one. The text around a removed marker
 * may form another one: what has begun is continued when the marker within it has ended.
 */
export class MarkerFilter {
  /** What has begun, each within the one before it. */
  #begun: string[] = []

  /** Whether some of the text so far is held back. */
  get holds(): boolean {
    return this.#begun.length > 0
  }

  push(text: string): string {
    if (!this.holds && !hasMarker(text)) return text
    let passed = ''
    for (const piece of text.split(BETWEEN_PIECES)) passed += this.#take(piece)
    return passed
  }

  /** No more text comes. */
  end(): string {
    const held = this.#begun.join('')
    this.#begun = []
    return held
  }

  #take(piece: string): string {
    const before = piece.startsWith(FIRST) ? '' : this.#begun.pop()
    if (before === undefined) return piece
    const innermost = before + piece
    if (WHOLE.test(innermost)) return ''
    this.#begun.push(innermost)
    // Whatever it is within can't become a marker either, since that would contain it.
    return mayBecomeMarker(innermost) ? '' : this.end()
  }
}

function mayBecomeMarker(text: string): boolean {
  const beginning = BEGINNINGS.find((each) => text.startsWith(each))
  if (beginning === undefined) return BEGINNINGS.some((each) => each.startsWith(text))
  return text.length - beginning.length <= LONGEST
}
