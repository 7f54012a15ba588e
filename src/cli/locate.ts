import { serverUrl } from '../config/endpoint.ts'
import { type GivenSettings, type LoadedConfig, loadConfig } from '../config/load.ts'
import type { Config, OptionName } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'
import { findRunning, isAtPort, type RunningServer } from '../daemon/pid-file.ts'
import { NOTHING_SAVED, readState, type SavedState } from '../daemon/state-file.ts'
import { clientKeyFrom } from '../http/client-key.ts'
import { describeError, withRemedy } from '../system/describe-error.ts'
import type { AskedServer } from './ask-server.ts'
import type { Context } from './context.ts'
import { isProxy } from './health.ts'
import { ADDRESS } from './setting-groups.ts'

/** What the run files say, and the settings that follow from them. */
export type Located = {
  readonly loaded: LoadedConfig
  readonly saved: SavedState
  readonly running: RunningServer | undefined
}

type LocateOptions = {
  /** The settings that the command uses: an invalid value of any other one must not stop it. */
  readonly needed?: readonly OptionName[]
  /** Whether to go on when the saved settings can't be read; else the reason is thrown. */
  readonly withoutState?: 'never' | 'if running' | 'always'
}

/** For run files that can't be read, made by another user (`sudo`) for example. */
export const UNREAD_REMEDY = 'Make it readable for you, delete it, or choose others with --state-file and --pid-file.'

/**
 * Finds the background server. The state file knows where the other files are, so that a server started with
 * `--pid-file` is found without it. One with the default pid file is found even if the state file can't be read.
 */
export async function locate(
  context: Context,
  flags: GivenSettings,
  { needed = ADDRESS, withoutState = 'if running' }: LocateOptions = {},
): Promise<Located> {
  const { config, origins } = loadConfig({ ...context, flags, needed })
  let saved = NOTHING_SAVED
  let unread: unknown
  try {
    saved = await readState(config.stateFile).catch(withRemedy(UNREAD_REMEDY))
  } catch (error) {
    unread = error
  }
  const fromFile = { flags: { ...flags, stateFile: config.stateFile }, saved: saved.settings }
  const found = loadConfig({ ...context, ...fromFile, needed })
  const loaded = { ...found, origins: { ...found.origins, stateFile: origins.stateFile } }
  const running = await findRunning(loaded.config.pidFile).catch(withRemedy(UNREAD_REMEDY))
  if (unread === undefined) return { loaded, saved, running }
  if (withoutState === 'never' || (withoutState === 'if running' && running === undefined)) throw unread
  context.print.note(describeError(unread))
  return { loaded, saved, running }
}

/**
 * A `--port` other than that of the background server means another server, in the foreground or run as a service.
 * Nothing saved for the background server applies to it.
 */
export function atNamedPort(context: Context, located: Located, flags: GivenSettings): Located {
  const { loaded, running } = located
  const { port } = loaded.config
  if (flags.port === undefined || port === 0 || running?.url === undefined) return located
  if (isAtPort(running, port)) return located
  return { loaded: loadConfig({ ...context, flags, needed: ADDRESS }), saved: NOTHING_SAVED, running: undefined }
}

/** A server that answers: the background server, or a foreground server or service at the same address. */
export async function reach({ loaded, running }: Located): Promise<AskedServer | undefined> {
  const { config } = loaded
  const clientKey = readableKey(config)
  if (running?.url !== undefined && !running.stopping) return { url: running.url, clientKey }
  const url = serverUrl(config)
  return config.port !== 0 && (await isProxy(url)) ? { url, clientKey } : undefined
}

/** A running server itself tells where its log is, whatever happened to its state file. */
export function logFileOf({ loaded, running }: Located): string {
  const { config, origins } = loaded
  return origins.logFile === 'flag' ? config.logFile : (running?.logFile ?? config.logFile)
}

/** The settings that a background server was started with; undefined if its state file is gone. */
export function savedSettings({ bases }: Context, saved: SavedState): LoadedConfig | undefined {
  if (saved === NOTHING_SAVED) return undefined
  return loadConfig({ flags: {}, env: {}, saved: saved.settings, bases, needed: [] })
}

/** An unreadable key counts as none: even without it, a server tells something. */
export function readableKey(config: Pick<Config, 'apiKey' | 'apiKeyFile'>): string | undefined {
  try {
    return clientKeyFrom(config, () => {})
  } catch (error) {
    if (error instanceof UsageError) return undefined
    throw error
  }
}
