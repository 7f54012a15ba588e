import { flagName } from '../config/load.ts'
import { OPTIONS } from '../config/options.ts'
import type { Call, CommandRow } from './commands.ts'
import type { Context, Outcome } from './context.ts'
import { settingNames } from './settings.ts'
import { shell } from './shell.ts'

/** One thing that can be typed after a command. */
type Word = {
  readonly text: string
  readonly help: string
  readonly choices?: readonly string[]
  readonly takesFile?: boolean
}

export function completion({ print }: Context, { argument }: Call, commands: readonly CommandRow[]): Outcome {
  const rows = commands.filter(({ hidden }) => !hidden)
  if (argument === 'fish') print.raw(fish(rows))
  else if (argument === 'zsh') print.raw(zsh(rows))
  else print.raw(bash(rows))
  return 0
}

function flagsOf(row: CommandRow): Word[] {
  const settings = settingNames(row.settings).flatMap((name): Word[] => {
    const option = OPTIONS[name]
    const text = flagName(option)
    if (text === undefined) return []
    return [
      { text, help: option.help, takesFile: 'path' in option, ...('choices' in option && { choices: option.choices }) },
    ]
  })
  const own = (row.flags ?? []).map(({ flag, help }) => ({ text: /--[\w-]+/.exec(flag)?.[0] ?? flag, help }))
  return [...own, ...settings]
}

function bash(rows: readonly CommandRow[]): string {
  const words = (row: CommandRow) =>
    [...flagsOf(row).map(({ text }) => text), ...(row.argument?.choices ?? [])].join(' ')
  const cases = rows.map((row) => `    ${row.name}) words=${shell(words(row))} ;;`)
  const choices = choicesOf(rows).map(([flag, values]) => `    ${flag}) words=${shell(values.join(' '))} ;;`)
  const files = filesOf(rows).join('|')
  return `# codex-api-proxy completion for bash; in ~/.bashrc: source <(codex-api-proxy completion bash)
_codex_api_proxy() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${shell(['--help', '--version', ...rows.map(({ name }) => name)].join(' '))} -- "$word"))
    return
  fi
  case "$before" in
    ${files}) COMPREPLY=($(compgen -f -- "$word")); return ;;
${choices.join('\n')}
  esac
  [ -n "$words" ] || case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o filenames -F _codex_api_proxy codex-api-proxy
`
}

function zsh(rows: readonly CommandRow[]): string {
  const spec = ({ text, help, choices, takesFile }: Word) => {
    const values = choices === undefined ? '' : `:value:(${choices.join(' ')})`
    return shell(`${text}[${help.replace(/[[\]:\\]/g, '\\$&')}]${takesFile ? ':file:_files' : values}`)
  }
  const argument = (row: CommandRow) =>
    row.argument?.choices === undefined ? [] : [shell(`1:${row.argument.help}:(${row.argument.choices.join(' ')})`)]
  const cases = rows.map(
    (row) => `    ${row.name}) _arguments ${[...flagsOf(row).map(spec), ...argument(row)].join(' ')} ;;`,
  )
  const commands = rows.map(({ name, help }) => `    ${shell(`${name}:${help}`)}`)
  return `#compdef codex-api-proxy
# codex-api-proxy completion for zsh; in ~/.zshrc after compinit: source <(codex-api-proxy completion zsh)
_codex_api_proxy() {
  local -a commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case "$words[1]" in
${cases.join('\n')}
  esac
}
compdef _codex_api_proxy codex-api-proxy
`
}

function fish(rows: readonly CommandRow[]): string {
  const line = (condition: string, rest: string) => `complete -c codex-api-proxy -n ${shell(condition)} ${rest}`
  const lines = rows.flatMap((row) => {
    const inRow = `__fish_seen_subcommand_from ${row.name}`
    const flags = flagsOf(row).map(({ text, help, choices, takesFile }) => {
      const values = choices === undefined ? '' : ` -x -a ${shell(choices.join(' '))}`
      return line(inRow, `-l ${text.slice(2)} -d ${shell(help)}${takesFile ? ' -r -F' : ` -f${values}`}`)
    })
    const values = row.argument?.choices
    return [
      line('__fish_use_subcommand', `-f -a ${row.name} -d ${shell(row.help)}`),
      ...(values === undefined ? [] : [line(inRow, `-f -a ${shell(values.join(' '))}`)]),
      ...flags,
    ]
  })
  return `# codex-api-proxy completion for fish; codex-api-proxy completion fish | source\n${lines.join('\n')}\n`
}

function choicesOf(rows: readonly CommandRow[]): [string, readonly string[]][] {
  const found = new Map<string, readonly string[]>()
  for (const { text, choices } of rows.flatMap(flagsOf)) if (choices !== undefined) found.set(text, choices)
  return [...found]
}

function filesOf(rows: readonly CommandRow[]): string[] {
  return [...new Set(rows.flatMap(flagsOf).flatMap(({ text, takesFile }) => (takesFile ? [text] : [])))]
}
