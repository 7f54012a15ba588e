import { isDeepStrictEqual } from 'node:util'
import { type LoadedConfig, OPTION_NAMES, shortName } from '../../../config/load.ts'
import { type Config, OPTIONS, type OptionName } from '../../../config/options.ts'
import type { RunningServer } from '../../../daemon/pid-file.ts'
import { NOTHING_SAVED, readState } from '../../../daemon/state-file.ts'
import type { Context } from '../../context.ts'
import { healthOf } from '../../health.ts'
import { outdated, problemOf } from '../../health-report.ts'
import { readableKey, savedSettings } from '../../locate.ts'
import { shownAddress } from '../../server-address.ts'

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
  if (server.url === undefined) return 0
  const inUse = await settingsInUse(context, loaded)
  const health = await healthOf({ url: server.url, clientKey: readableKey(inUse ?? loaded.config) })
  for (const problem of [problemOf(health), outdated(health, 'background')]) {
    if (problem !== undefined) print.note(problem)
  }
  const names = notInUse(loaded, inUse).join(', ')
  if (names === '') return 0
  print.note(
    inUse === undefined
      ? `Whether it has the settings given now (${names}) is not known: its own can't be read from ${loaded.config.stateFile}. To apply them, run \`codex-api-proxy stop\`, then \`start\` again.`
      : `It runs with other settings than given now (${names}); to apply these, give them to \`codex-api-proxy restart\`.`,
  )
  return 0
}

export function addressOf({ pid, url }: RunningServer): string {
  return url === undefined ? `process ${pid}, still starting` : `${shownAddress(url)} (process ${pid})`
}

/** The settings of the running server; undefined if its state file is gone or broken. */
async function settingsInUse(context: Context, { config }: LoadedConfig): Promise<Config | undefined> {
  const saved = await readState(config.stateFile).catch(() => NOTHING_SAVED)
  return savedSettings(context, saved)?.config
}

/** The settings that were given now and that the running server is not known to have, by their flag or variable. */
function notInUse({ config, given, origins }: LoadedConfig, inUse: Config | undefined): string[] {
  const sourceOf = (name: OptionName) => /^variable (.*)$/.exec(origins[name])?.[1] ?? shortName(OPTIONS[name])
  return OPTION_NAMES.filter((name) => given[name] !== undefined)
    .filter((name) => inUse === undefined || !isDeepStrictEqual(config[name], inUse[name]))
    .map(sourceOf)
}
