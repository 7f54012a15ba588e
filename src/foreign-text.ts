/**
 * Foreign text made safe to show in a terminal: control characters are escaped as in JSON, so that the terminal takes
 * none for a command. That includes those beyond ASCII, which JSON would leave and terminals obey. Tabs stay.
 */
export function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, unicodeEscape)
}

/** Foreign text in our messages is shortened, since a message is no place for a whole prompt; never within an emoji. */
export function shorten(text: string, most = 64): string {
  return text.length <= most ? text : `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…`
}

/** A character of the basic plane as JSON escapes it. */
export function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
