import { type GivenSettings, type LoadedConfig, loadConfig } from '../config/load.ts'
import type { Bases } from '../config/paths.ts'
import type { Print } from './print.ts'

/** What every command gets from the process it runs in. */
export type Context = {
  readonly print: Print
  readonly env: Readonly<Record<string, string | undefined>>
  readonly bases: Bases
  /** This program's own file, to start it again in the background or from a service. */
  readonly program: string
}

/** What a command hands back: the exit code, or nothing for 0. */
export type Outcome = number | undefined

export function loadSettings({ env, bases }: Context, flags: GivenSettings, saved: GivenSettings = {}): LoadedConfig {
  return loadConfig({ flags, env, saved, bases })
}
