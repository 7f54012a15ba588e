/**
 * Text of others that may be shown in a terminal: control characters as JSON would write them, so that none reaches it as
 * a command. JSON leaves those beyond ASCII, which terminals obey too. A tab may stay.
 */
export function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, (found) => {
    return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
