import type { GivenSettings } from '../config/load.ts'
import type { OptionName } from '../config/options.ts'
import type { Context, ExitCode } from './context.ts'

/** A command line after parsing. */
export type Call = {
  readonly settings: GivenSettings
  /** Flags that are not settings, by their long name in camelCase. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly argument: string | undefined
}

/** A flag that is not a setting. */
type OwnFlag = { readonly flag: string; readonly help: string; readonly choices?: readonly string[] }

export type CommandRow = {
  readonly name: string
  readonly help: string
  readonly group: 'Run' | 'Inspect' | 'Set up'
  readonly settings: 'all' | readonly OptionName[]
  readonly flags?: readonly OwnFlag[]
  readonly argument?: { readonly usage: string; readonly help: string; readonly choices: readonly string[] }
  readonly hidden?: true
  /** Loads what it needs when it runs, so that `--help` and `status` never load the server. */
  readonly run: (context: Context, call: Call) => Promise<ExitCode>
}
