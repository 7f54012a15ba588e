import { type GivenSettings, type LoadedConfig, loadConfig } from '../config/load.ts'
import type { OptionName } from '../config/options.ts'
import type { SavedState } from '../daemon/state-file.ts'
import type { Context } from './context.ts'

type Further = {
  readonly saved?: GivenSettings
  /** The settings that must be usable (all, if absent): any other unusable one counts as not set. */
  readonly needed?: readonly OptionName[]
}

export function loadSettings(
  { env, bases }: Context,
  flags: GivenSettings,
  { saved = {}, needed }: Further = {},
): LoadedConfig {
  return loadConfig({ flags, env, saved, bases, needed })
}

/** The settings that a background server was started with. */
export function savedSettings({ bases }: Context, { settings }: SavedState): LoadedConfig {
  return loadConfig({ flags: {}, env: {}, saved: settings, bases, needed: [] })
}
