import type { Bases } from '../config/paths.ts'
import type { Print } from './print.ts'

/** The hidden command that `start` runs; it gets its settings over a channel. */
export const BACKGROUND_COMMAND = 'run-in-background'

/** What every command gets from its process. */
export type Context = {
  readonly print: Print
  readonly env: Readonly<Record<string, string | undefined>>
  readonly bases: Bases
  /** The program's own file, for starting it again in the background or as a service. */
  readonly program: string
}

/** What a command hands back: the exit code. */
export type ExitCode = number

/** The exit code that the Linux Standard Base has for a service that does not run. */
export const NOT_RUNNING: ExitCode = 3
