import { COMMANDS } from './commands.ts'
import type { Print } from './print.ts'

const GROUPS = ['Run', 'Look', 'Set up'] as const

/** What `--help` without a command says; written here so that it answers without loading the parser of flags. */
export function showOverview(print: Print): void {
  print.line('Usage: codex-api-proxy <command> [options]')
  print.line()
  print.line('Local OpenAI-compatible server on the login you already have in the Codex CLI.')
  const rows = COMMANDS.filter(({ hidden }) => !hidden)
  const width = Math.max(...rows.map(({ name, argument }) => usageOf(name, argument?.usage).length))
  for (const group of GROUPS) {
    print.line()
    print.line(print.style('bold', `${group}:`))
    for (const { name, argument, help } of rows.filter((row) => row.group === group)) {
      print.line(`  ${usageOf(name, argument?.usage).padEnd(width)}  ${help}`)
    }
  }
  print.line()
  print.line('`codex-api-proxy <command> --help` shows its options, `--version` the version.')
}

function usageOf(name: string, argument: string | undefined): string {
  return argument === undefined ? name : `${name} ${argument}`
}
