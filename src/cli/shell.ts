/**
 * One word for sh, bash and zsh, where nothing is special between single quotes; also for fish, unless it contains a
 * backslash.
 */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Words as a person would type them: in quotes only where they have to be. */
export function shellList(words: readonly string[]): string {
  return words.map((word) => (/^[\w./:@%+,=-]+$/.test(word) ? word : shellWord(word))).join(' ')
}

/** How to write things that are pasted into a shell. */
export type ShellForm = {
  readonly word: (text: string) => string
  /** Sets a variable for what is started afterwards. */
  readonly variable: (name: string, value: string) => string
  /** Ends a line whose command goes on in the next one. */
  readonly continued: string
}

export const SHELL_FORMS = {
  sh: { word: shellWord, variable: (name, value) => `export ${name}=${shellWord(value)}`, continued: ' \\' },
  powershell: {
    word: powershellWord,
    variable: (name, value) => `$env:${name} = ${powershellWord(value)}`,
    continued: ' `',
  },
} as const satisfies Record<string, ShellForm>

/** The form for the named shell, or else for the one commonly used on this system. */
export function shellForm(named: unknown, env: Readonly<Record<string, string | undefined>>): ShellForm {
  if (named === 'sh' || named === 'powershell') return SHELL_FORMS[named]
  // On Windows only shells of Unix (Git Bash) set SHELL.
  return process.platform === 'win32' && !env.SHELL ? SHELL_FORMS.powershell : SHELL_FORMS.sh
}

/** One word for PowerShell, which treats typographic quotes as plain ones (about_Quoting_Rules). */
function powershellWord(text: string): string {
  return `'${text.replace(/['\u2018-\u201b]/g, '$&$&')}'`
}
