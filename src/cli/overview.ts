import type { CommandRow } from './command.ts'
import { COMMANDS } from './commands.ts'
import type { Print } from './print.ts'

const GROUPS = ['Run', 'Inspect', 'Set up'] as const
const USAGE = `Usage: codex-api-proxy <command> [options]

Local OpenAI-compatible server that uses your Codex CLI login.`
const HINT =
  '`codex-api-proxy <command> --help` shows the options of a command, `codex-api-proxy --version` the version.'

/** The general `--help`; written here so that it needs no command-line parser. */
export function overview(style: Print['style']): string {
  const rows = COMMANDS.filter(({ hidden }) => !hidden)
  const width = Math.max(...rows.map((row) => usageOf(row).length))
  const groups = GROUPS.map((group) => {
    const lines = rows.filter((row) => row.group === group).map((row) => `  ${usageOf(row).padEnd(width)}  ${row.help}`)
    return [style('bold', `${group}:`), ...lines].join('\n')
  })
  return `${[USAGE, ...groups, HINT].join('\n\n')}\n`
}

function usageOf({ name, argument }: CommandRow): string {
  return argument === undefined ? name : `${name} ${argument.usage}`
}
