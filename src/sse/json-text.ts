// Finding one's way in JSON text without parsing it. What is passed over is not checked beyond its brackets and quotes.

/** The quote that ends the JSON string whose inside begins at `start`: the first with an even run of backslashes before it. */
export function closingQuote(text: string, start: number): number {
  let quote = text.indexOf('"', start)
  while (text.charCodeAt(quote - 1) === BACKSLASH) {
    let run = 0
    while (quote - 1 - run >= start && text.charCodeAt(quote - 1 - run) === BACKSLASH) run++
    if (run % 2 === 0) break
    quote = text.indexOf('"', quote + 1)
  }
  return quote
}

/**
 * The JSON with only the members named `kept` of the object that begins at `start`. Undefined when the object does not
 * end, or has spaces between its parts or escapes in its names.
 */
export function keepMembers(json: string, start: number, kept: ReadonlySet<string>): string | undefined {
  let members = ''
  let at = start + 1
  while (json.charCodeAt(at) === QUOTE) {
    const nameEnd = json.indexOf('":', at + 1)
    const name = json.substring(at + 1, nameEnd)
    const end = endOfValue(json, nameEnd + 2)
    if (nameEnd === -1 || end === -1 || name.includes('\\')) return undefined
    if (kept.has(name)) members += `${members === '' ? '' : ','}${json.substring(at, end)}`
    at = json.charCodeAt(end) === COMMA ? end + 1 : end
  }
  return json.charCodeAt(at) === CLOSING_BRACE
    ? `${json.substring(0, start + 1)}${members}${json.substring(at)}`
    : undefined
}

/** Where the value that begins at `at` is over; -1 when it never is. */
function endOfValue(json: string, at: number): number {
  const first = json.charCodeAt(at)
  if (first === QUOTE) return closingQuote(json, at + 1) + 1 || -1
  if (first === OPENING_BRACE || first === OPENING_BRACKET) return endOfNested(json, at)
  let end = at
  while (isWordCharacter(json.charCodeAt(end))) end++
  return end === at ? -1 : end
}

function endOfNested(json: string, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) {
      at = closingQuote(json, at + 1)
      if (at === -1) return -1
    } else if (code === OPENING_BRACE || code === OPENING_BRACKET) depth++
    else if ((code === CLOSING_BRACE || code === CLOSING_BRACKET) && --depth === 0) return at + 1
  }
  return -1
}

/** Of numbers, `true`, `false` and `null`. */
function isWordCharacter(code: number): boolean {
  return code > SPACE && code !== COMMA && code !== CLOSING_BRACE && code !== CLOSING_BRACKET
}

const SPACE = 32
const QUOTE = 34
const COMMA = 44
const OPENING_BRACKET = 91
const BACKSLASH = 92
const CLOSING_BRACKET = 93
const OPENING_BRACE = 123
const CLOSING_BRACE = 125
