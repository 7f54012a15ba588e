/** One word for sh, bash and zsh, where nothing is special between single quotes; for fish unless it has a backslash. */
export function shell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Words as a person would type them: in quotes only where they have to be. */
export function shellList(words: readonly string[]): string {
  return words.map((word) => (/^[\w./:@%+,=-]+$/.test(word) ? word : shell(word))).join(' ')
}
