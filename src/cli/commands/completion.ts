import { flagName } from '../../config/load.ts'
import type { Option } from '../../config/option.ts'
import { OPTIONS } from '../../config/options.ts'
import type { Call, CommandRow } from '../command.ts'
import type { Context, ExitCode } from '../context.ts'
import { settingNames } from '../setting-flags.ts'
import { shellWord } from '../shell.ts'

const ZSH_VALUES = { none: '', file: ':file:_files', any: ':value: ' } as const
const FISH_VALUES = { none: '-f', file: '-r -F', any: '-x' } as const

/** One thing that can be typed after a command. */
type Word = {
  readonly text: string
  readonly help: string
  /** What must follow it: one of these, a file name, or something that can't be completed. */
  readonly value?: readonly string[] | 'file' | 'any'
}

export function completion({ print }: Context, { argument }: Call, commands: readonly CommandRow[]): ExitCode {
  const rows = commands.filter(({ hidden }) => !hidden)
  if (argument === 'fish') print.raw(fish(rows))
  else if (argument === 'zsh') print.raw(zsh(rows))
  else print.raw(bash(rows))
  return 0
}

function flagsOf(row: CommandRow): Word[] {
  const settings = settingNames(row.settings).flatMap((name): Word[] => {
    const option: Option<unknown> = OPTIONS[name]
    const text = flagName(option)
    return text === undefined ? [] : [{ text, help: option.help, ...whatFollows(option) }]
  })
  const own = (row.flags ?? []).map((option) => ({
    text: /--[\w-]+/.exec(option.flag)?.[0] ?? option.flag,
    help: option.help,
    ...whatFollows(option),
  }))
  return [...own, ...settings]
}

function whatFollows({ flag, path, choices }: Pick<Option<unknown>, 'flag' | 'path' | 'choices'>): Pick<Word, 'value'> {
  if (path) return { value: 'file' }
  if (choices !== undefined) return { value: choices }
  return flag?.includes('<') ? { value: 'any' } : {}
}

function bash(rows: readonly CommandRow[]): string {
  const words = (row: CommandRow) =>
    [...flagsOf(row).map(({ text }) => text), ...(row.argument?.choices ?? [])].join(' ')
  const cases = rows.map((row) => `    ${row.name}) words=${shellWord(words(row))} ;;`)
  const flags = [...new Map(rows.flatMap(flagsOf).map((word) => [word.text, word])).values()]
  const choices = flags.flatMap(({ text, value }) =>
    typeof value === 'object' ? [`    ${text}) words=${shellWord(value.join(' '))} ;;`] : [],
  )
  const taking = (kind: Word['value']) => flags.flatMap(({ text, value }) => (value === kind ? [text] : [])).join('|')
  return `# codex-api-proxy completion for bash; in ~/.bashrc: source <(codex-api-proxy completion bash)
_codex_api_proxy() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words= joined=
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${shellWord(['--help', '--version', ...rows.map(({ name }) => name)].join(' '))} -- "$word"))
    return
  fi
  # --flag=value comes as three words.
  if [ "$word" = '=' ]; then joined=1 word=; elif [ "$before" = '=' ]; then joined=1 before="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  case "$before" in
    ${taking('file')}) local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$word")); return ;;
    ${taking('any')}) return ;;
${choices.join('\n')}
    *) [ -z "$joined" ] || words='true false' ;;
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
  const spec = ({ text, help, value }: Word) => {
    const values = typeof value === 'object' ? `:value:(${value.join(' ')})` : ZSH_VALUES[value ?? 'none']
    // With `=`, the value may follow it or be the next word, as the program accepts both.
    const name = value === undefined ? text : `${text}=`
    return shellWord(`${name}[${help.replace(/[[\]:\\]/g, '\\$&')}]${values}`)
  }
  const argument = (row: CommandRow) =>
    row.argument === undefined ? [] : [shellWord(`1:${row.argument.help}:(${row.argument.choices.join(' ')})`)]
  const cases = rows.map(
    (row) => `    ${row.name}) _arguments ${[...flagsOf(row).map(spec), ...argument(row)].join(' ')} ;;`,
  )
  const commands = rows.map(({ name, help }) => `    ${shellWord(`${name}:${help}`)}`)
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
  const line = (condition: string, rest: string) => `complete -c codex-api-proxy -n ${shellWord(condition)} ${rest}`
  const lines = rows.flatMap((row) => {
    const inRow = `__fish_seen_subcommand_from ${row.name}`
    const flags = flagsOf(row).map(({ text, help, value }) => {
      const values = typeof value === 'object' ? `-x -a ${shellWord(value.join(' '))}` : FISH_VALUES[value ?? 'none']
      return line(inRow, `-l ${text.slice(2)} -d ${shellWord(help)} ${values}`)
    })
    const { argument } = row
    return [
      line('__fish_use_subcommand', `-f -a ${row.name} -d ${shellWord(row.help)}`),
      ...(argument === undefined ? [] : [line(inRow, `-f -a ${shellWord(argument.choices.join(' '))}`)]),
      ...flags,
    ]
  })
  const noFiles = 'complete -c codex-api-proxy -f'
  return `# codex-api-proxy completion for fish; in ~/.config/fish/config.fish: codex-api-proxy completion fish | source\n${noFiles}\n${lines.join('\n')}\n`
}
