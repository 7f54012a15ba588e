import { type GivenSettings, type LoadedConfig, loadConfig } from '../config/load.ts'
import type { Context } from './context.ts'

export function loadSettings({ env, bases }: Context, flags: GivenSettings, saved: GivenSettings = {}): LoadedConfig {
  return loadConfig({ flags, env, saved, bases })
}
