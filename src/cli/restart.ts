import type { GivenSettings } from '../config/load.ts'
import type { Config } from '../config/options.ts'
import { withRemedy } from '../daemon/describe-error.ts'
import { isAtPort, type RunningServer } from '../daemon/pid-file.ts'
import { checkRunFiles, RUN_FILES_REMEDY } from '../daemon/run-files.ts'
import type { Context, Outcome } from './context.ts'
import { loadSettings } from './load-settings.ts'
import { locate } from './locate.ts'
import { STOPPING } from './setting-groups.ts'
import { checkStartable, startWith } from './start.ts'
import { stopLocated } from './stop.ts'
import { checkAddress } from './try-to-listen.ts'

/** Stops the server if it runs, and starts it with the last saved settings; flags and variables override them. */
export async function restart(context: Context, flags: GivenSettings): Promise<Outcome> {
  // Where it runs now is what was saved, even if a flag moves its pid file.
  const where = flags.stateFile === undefined ? {} : { stateFile: flags.stateFile }
  const before = await locate(context, where, { needed: STOPPING })
  const loaded = loadSettings(context, flags, before.saved.settings)
  // Before the old one is stopped: else a mistake in a setting would end the service.
  checkStartable(loaded.config)
  await checkRunFiles(loaded.config).catch(withRemedy(RUN_FILES_REMEDY))
  await checkNextAddress(loaded.config, before.running)
  // A second signal would cut the answers of one that is stopping already: the start waits for its end.
  if (!before.running?.stopping) await stopLocated(context, before)
  return await startWith(context, loaded)
}

/** Its own port is free only after its end; the address can be tried before. */
async function checkNextAddress(config: Config, running: RunningServer | undefined): Promise<void> {
  if (running?.url === undefined) return
  await checkAddress(isAtPort(running, config.port) ? { ...config, port: 0 } : config)
}
