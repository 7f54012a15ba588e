import type { GivenSettings, LoadedConfig } from '../config/load.ts'
import { findRunning, type RunningServer } from '../daemon/pid-file.ts'
import { readState, type SavedState } from '../daemon/state-file.ts'
import { clientKeyFrom } from '../http/client-key.ts'
import { configuredUrl, isProxy } from './ask-server.ts'
import type { Context } from './context.ts'
import { loadSettings } from './load-settings.ts'

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
  const { config, origins } = loadSettings(context, flags)
  const saved = await readState(config.stateFile)
  const found = loadSettings(context, { ...flags, stateFile: config.stateFile }, saved.settings)
  const loaded = { ...found, origins: { ...found.origins, stateFile: origins.stateFile } }
  return { loaded, saved, running: await findRunning(loaded.config.pidFile) }
}

/** A server that answers: the one of the background, or one in the foreground or of a service at the same address. */
export type Reached = {
  readonly url: string
  readonly clientKey: string | undefined
  /** Absent when it does not run in the background. */
  readonly pid?: number
}

export async function reach({ loaded, running }: Located): Promise<Reached | undefined> {
  const { config } = loaded
  const clientKey = clientKeyFrom(config, () => {})
  if (running?.url !== undefined) return { url: running.url, clientKey, pid: running.pid }
  const url = configuredUrl(config)
  return config.port !== 0 && (await isProxy(url)) ? { url, clientKey } : undefined
}
