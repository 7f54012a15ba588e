// Finds positions in JSON, and counts values, without parsing or decoding it, in its UTF-8 bytes: no byte of a longer
// sequence looks like ASCII. What is skipped is checked only for its brackets and quotes.

/**
 * The quote that ends the JSON string whose content begins at `start`, after its opening quote: the first with an even
 * number of backslashes before it.
 */
export function closingQuote(json: Buffer, start: number): number {
  let quote = json.indexOf(QUOTE, start)
  while (json[quote - 1] === BACKSLASH) {
    let run = 1
    while (json[quote - 1 - run] === BACKSLASH) run++
    if (run % 2 === 0) break
    quote = json.indexOf(QUOTE, quote + 1)
  }
  return quote
}

/**
 * Whether the bytes between the end of a value and `end` look like the rest of its object: further members, or none.
 */
export function endsObject(json: Buffer, from: number, end: number): boolean {
  return json[end - 1] === CLOSING_BRACE && (from === end - 1 || (json[from] === COMMA && json[from + 1] === QUOTE))
}

/** Which members to keep. */
export type Keep = (name: string) => boolean

/**
 * The JSON with only those members of the object at `start` that `keep` selects. Undefined if the object does not end,
 * or has spaces between its parts or escapes in its names.
 */
export function keepMembers(json: Buffer, start: number, keep: Keep): string | undefined {
  let members = ''
  let at = start + 1
  while (json[at] === QUOTE) {
    const nameEnd = json.indexOf(NAME_END, at + 1)
    if (nameEnd === -1) return undefined
    const name = json.toString('utf8', at + 1, nameEnd)
    const value = nameEnd + NAME_END.length
    const end = endOfValue(json, value)
    if (end === -1 || name.includes('\\')) return undefined
    if (keep(name)) members += `${members === '' ? '' : ','}${json.toString('utf8', at, end)}`
    at = json[end] === COMMA ? end + 1 : end
  }
  return json[at] === CLOSING_BRACE
    ? `${json.toString('utf8', 0, start + 1)}${members}${json.toString('utf8', at)}`
    : undefined
}

/**
 * Whether it has so many values that nobody should parse it. Parsing takes time and memory by their number, beyond this
 * more than in proportion: 16 MB of `[],` held up all other requests for five seconds. Of JSON within JSON too.
 */
export function hasTooManyValues(json: Buffer | string): boolean {
  if (json.length <= MOST_VALUES * SHORTEST_VALUE) return false
  return hasMoreValues(typeof json === 'string' ? Buffer.from(json) : json, MOST_VALUES)
}

/** Whether there are more values in the JSON than this, whatever they are in. An empty list or object counts as two. */
export function hasMoreValues(json: Buffer, most: number): boolean {
  let count = 1
  for (let at = 0; at < json.length && count <= most; at++) {
    const code = json[at]
    if (code === QUOTE) {
      at = closingQuote(json, at + 1)
      if (at === -1) return false
    } else if (code === COMMA || code === OPENING_BRACKET || code === OPENING_BRACE) count++
  }
  return count > most
}

/** Where the value that begins at `at` ends; -1 when it does not. */
function endOfValue(json: Buffer, at: number): number {
  const first = json[at]
  if (first === QUOTE) return closingQuote(json, at + 1) + 1 || -1
  if (first === OPENING_BRACE || first === OPENING_BRACKET) return endOfNested(json, at)
  let end = at
  while (isWordCharacter(json[end])) end++
  return end === at ? -1 : end
}

function endOfNested(json: Buffer, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const code = json[at]
    if (code === QUOTE) {
      at = closingQuote(json, at + 1)
      if (at === -1) return -1
    } else if (code === OPENING_BRACE || code === OPENING_BRACKET) depth++
    else if ((code === CLOSING_BRACE || code === CLOSING_BRACKET) && --depth === 0) return at + 1
  }
  return -1
}

/** Whether a number, `true`, `false` or `null` may hold this character. */
function isWordCharacter(code = SPACE): boolean {
  return code > SPACE && code !== COMMA && code !== CLOSING_BRACE && code !== CLOSING_BRACKET
}

/** A request of 160,000 messages has fewer. */
export const MOST_VALUES = 500_000
/** `1,` */
const SHORTEST_VALUE = 2

const NAME_END = Buffer.from('":')
const SPACE = 32
const QUOTE = 34
const COMMA = 44
const OPENING_BRACKET = 91
const BACKSLASH = 92
const CLOSING_BRACKET = 93
const OPENING_BRACE = 123
const CLOSING_BRACE = 125
