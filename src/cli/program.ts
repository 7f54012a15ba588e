import { Command, CommanderError } from 'commander'
import type { OptionName } from '../config/options.ts'
import { UsageError } from '../config/parsers.ts'
import { packageVersion } from '../version.ts'
import type { Context, Outcome } from './context.ts'
import { addSettings, settingsOf } from './settings.ts'

const RUN_FILES: readonly OptionName[] = ['pidFile', 'logFile', 'stateFile']

/** Runs one command line; resolves with the exit code: 0, 1 for a failure, 2 for a command line that can't be used. */
export async function runProgram(argv: readonly string[], context: Context): Promise<number> {
  let exitCode = 0
  const program = createProgram(context, (outcome) => {
    exitCode = outcome ?? 0
  })
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    context.print.note(`codex-api-proxy: ${oneLine(error)}`)
    return error instanceof CommanderError || error instanceof UsageError ? 2 : 1
  }
}

/** Commands load what they need when they run: `--help` and `status` never load the server. */
function createProgram(context: Context, done: (outcome: Outcome) => void): Command {
  const program = new Command('codex-api-proxy')
    .description('Local OpenAI-compatible server on the login you already have in the Codex CLI.')
    .version(packageVersion(), '--version', 'Show the version.')
    .helpOption('-h, --help', 'Show this help.')
    .helpCommand('help [command]', 'Show the help of a command.')
    .configureOutput({ writeOut: context.print.raw, outputError: () => {} })
    .exitOverride()

  addSettings(program.command('start').description('Start the server in the background.'))
    .option('--foreground', 'Stay in this terminal and log to it.')
    .action(async ({ foreground, ...flags }: { foreground?: true }) => {
      const { start } = await import('./start.ts')
      done(await start(context, settingsOf(flags), { foreground: foreground === true }))
    })

  return program
}

/** What happened in one line, e.g. commander's suggestion in the second line joined to its first. */
function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?')
    .replace(/\s*\n\s*/g, ' ')
}
