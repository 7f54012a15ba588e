import { isDeepStrictEqual } from 'node:util'
import { flagName, type LoadedConfig, OPTION_NAMES } from '../../config/load.ts'
import { OPTIONS, type OptionName } from '../../config/options.ts'
import type { RunningServer } from '../../daemon/pid-file.ts'
import { readState } from '../../daemon/state-file.ts'
import type { Context } from '../context.ts'
import { savedSettings } from '../load-settings.ts'

/** What `start` says if a server has the pid file; if that one keeps running, all is well. Returns the exit code. */
export async function reportRunning(context: Context, loaded: LoadedConfig, server: RunningServer): Promise<number> {
  const { print } = context
  if (server.stopping) {
    const remedy = 'Try again when it has ended; `codex-api-proxy stop` ends it at once.'
    print.note(`codex-api-proxy: could not start: process ${server.pid} is still stopping. ${remedy}`)
    return 1
  }
  print.line(`Already running: ${addressOf(server)}`)
  // While it is starting, its settings are not known yet.
  const names = server.url === undefined ? [] : await notInUse(context, loaded)
  if (names.length === 0) return 0
  print.note(
    `It runs with other settings than given now (${names.join(', ')}); to apply these, give them to \`codex-api-proxy restart\`.`,
  )
  return 0
}

export function addressOf({ pid, url }: RunningServer): string {
  return url === undefined ? `process ${pid}, still starting` : `${url}/v1 (process ${pid})`
}

/** The settings that were given now and that the running server does not have, by their flag or variable. */
async function notInUse(context: Context, { config, given, origins }: LoadedConfig): Promise<string[]> {
  const saved = await readState(config.stateFile).catch(() => undefined)
  if (saved === undefined) return []
  const inUse = savedSettings(context, saved).config
  const sourceOf = (name: OptionName) => /^variable (.*)$/.exec(origins[name])?.[1] ?? flagName(OPTIONS[name]) ?? name
  return OPTION_NAMES.filter((name) => given[name] !== undefined)
    .filter((name) => !isDeepStrictEqual(config[name], inUse[name]))
    .map(sourceOf)
}
