import { type GivenSettings, type LoadedConfig, loadConfig } from '../config/load.ts'
import type { OptionName } from '../config/options.ts'
import type { Context } from './context.ts'

/** Settings in `needed` (all, if absent) must be usable; any other unusable one counts as not set. */
export function loadSettings(
  { env, bases }: Context,
  flags: GivenSettings,
  saved: GivenSettings = {},
  needed?: readonly OptionName[],
): LoadedConfig {
  return loadConfig({ flags, env, saved, bases, needed })
}
