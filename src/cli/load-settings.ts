import { type GivenSettings, type LoadedConfig, loadConfig } from '../config/load.ts'
import type { OptionName } from '../config/options.ts'
import type { Context } from './context.ts'

/** Of `needed`, all when absent, each must be usable; any other counts as not set when it isn't. */
export function loadSettings(
  { env, bases }: Context,
  flags: GivenSettings,
  saved: GivenSettings = {},
  needed?: readonly OptionName[],
): LoadedConfig {
  return loadConfig({ flags, env, saved, bases, needed })
}
