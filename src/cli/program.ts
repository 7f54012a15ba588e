import { Argument, Command, CommanderError, Option } from 'commander'
import { UsageError } from '../config/usage-error.ts'
import { asString } from '../json-object.ts'
import type { CommandRow } from './command.ts'
import { COMMANDS } from './commands.ts'
import type { Context, ExitCode } from './context.ts'
import { explain } from './explain.ts'
import { overview } from './overview.ts'
import { addSettings, settingsOf } from './setting-flags.ts'

/** Runs one command line; resolves with the exit code: 0, 1 for a failure, 2 for a command line that can't be used. */
export async function runProgram(argv: readonly string[], context: Context): Promise<number> {
  let exitCode = 0
  const program = createProgram(context, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(withKnownCommand(argv), { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    context.print.note(`codex-api-proxy: ${explain(error)}${adviceOn(error, argv)}`)
    return error instanceof CommanderError || error instanceof UsageError ? 2 : 1
  }
}

/** Adds what the parser knows but does not say. */
function adviceOn(error: unknown, argv: readonly string[]): string {
  // The command may be preceded by `--`, which ends flags.
  const name = argv.find((word) => word !== '--')
  const row = COMMANDS.find((each) => each.name === name)
  switch (error instanceof CommanderError ? error.code : undefined) {
    case 'commander.missingArgument':
      return `. Allowed choices are ${row?.argument?.choices.join(', ')}.`
    case 'commander.unknownCommand':
    case 'commander.unknownOption':
    case 'commander.excessArguments': {
      if (explain(error).endsWith('?')) return '' // It has a suggestion.
      const help = row === undefined ? '--help' : `${row.name} --help`
      return `${explain(error).endsWith('.') ? '' : '.'} See \`codex-api-proxy ${help}\`.`
    }
    default:
      return ''
  }
}

/** Makes `help nonsense` an unknown command: the parser would just print the general help. */
function withKnownCommand(argv: readonly string[]): readonly string[] {
  const [name] = argv[0] === 'help' ? argv.slice(1) : argv
  const isKnown = name === undefined || name.startsWith('-') || COMMANDS.some((row) => row.name === name)
  return isKnown ? argv : [name]
}

function createProgram(context: Context, done: (code: ExitCode) => void): Command {
  const program = new Command('codex-api-proxy')
    .configureOutput({ writeOut: context.print.raw, outputError: () => {} })
    .exitOverride()
    .helpCommand('help [command]')
  program.helpInformation = () => overview(context.print.style)
  for (const row of COMMANDS) addCommand(program, row, context, done)
  return program
}

function addCommand(program: Command, row: CommandRow, context: Context, done: (code: ExitCode) => void): void {
  const command = program
    .command(row.name, { hidden: row.hidden === true })
    .description(row.help)
    .helpOption('-h, --help', 'Show this help.')
  // Before the settings, which are many and the same everywhere.
  for (const { flag, help, choices } of row.flags ?? []) {
    const option = new Option(flag, help)
    command.addOption(choices === undefined ? option : option.choices(choices))
  }
  addSettings(command, row.settings)
  if (row.argument !== undefined) command.addArgument(argumentOf(row.argument))
  command.action(async () => {
    const flags = command.opts()
    done(await row.run(context, { settings: settingsOf(flags), flags, argument: asString(command.processedArgs[0]) }))
  })
}

/** Capitals don't matter: `clients OpenClaw`, as the program is written elsewhere. */
function argumentOf({ usage, help, choices }: NonNullable<CommandRow['argument']>): Argument {
  const argument = new Argument(usage, help).choices(choices)
  const check = argument.parseArg
  return argument.argParser((given, before) => check?.(given.toLowerCase(), before))
}
