import type { GivenSettings, LoadedConfig } from '../config/load.ts'
import { findRunning, type RunningServer } from '../daemon/pid-file.ts'
import { readState, type SavedState } from '../daemon/state-file.ts'
import { type Context, loadSettings } from './context.ts'

/** What the run files say, and the settings that follow from them. */
export type Located = {
  readonly loaded: LoadedConfig
  readonly saved: SavedState
  readonly running: RunningServer | undefined
}

/**
 * Finds the server of the background. The state file knows where the other files are, so that a server started with
 * `--pid-file` is found without it.
 */
export async function locate(context: Context, flags: GivenSettings): Promise<Located> {
  const { stateFile } = loadSettings(context, flags).config
  const saved = await readState(stateFile)
  const loaded = loadSettings(context, { ...flags, stateFile }, saved.settings)
  return { loaded, saved, running: await findRunning(loaded.config.pidFile) }
}
