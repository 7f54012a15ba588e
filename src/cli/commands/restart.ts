import { type GivenSettings, loadConfig } from '../../config/load.ts'
import { isAtPort } from '../../daemon/pid-file.ts'
import { checkRunFiles, runFilesRemedy } from '../../daemon/run-files.ts'
import { checkStartable } from '../../http/startable.ts'
import { withRemedy } from '../../system/describe-error.ts'
import type { Context, ExitCode } from '../context.ts'
import { locate } from '../locate.ts'
import { STOPPING } from '../setting-groups.ts'
import { checkRereadable } from './start/rereadable-files.ts'
import { startWith } from './start/start.ts'
import { checkAddress } from './start/try-to-listen.ts'
import { stopLocated } from './stop.ts'

/** Stops the server if it runs, and starts it with the last saved settings; flags and variables override them. */
export async function restart(context: Context, flags: GivenSettings): Promise<ExitCode> {
  // The saved settings tell where it runs now, even if a flag moves its pid file.
  const where = flags.stateFile === undefined ? {} : { stateFile: flags.stateFile }
  const before = await locate(context, where, { needed: STOPPING, withoutState: 'never' })
  const loaded = loadConfig({ ...context, flags, saved: before.saved.settings })
  // All checks come before the old server is stopped: a mistake in a setting must not end it.
  checkRereadable(loaded.config)
  checkStartable(loaded.config)
  await checkRunFiles(loaded.config).catch(withRemedy(runFilesRemedy))
  if (before.running?.url !== undefined) {
    await checkAddress(loaded.config, isAtPort(before.running, loaded.config.port))
  }
  // If it is already stopping, a second signal would cut off its answers; the start waits for its end instead.
  if (!before.running?.stopping) await stopLocated(context, before)
  return await startWith(context, loaded)
}
