import type { GivenSettings } from '../../config/load.ts'
import { lockInTheWay, type RunningServer, whyStillThere } from '../../daemon/pid-file.ts'
import { stopProcess } from '../../daemon/process.ts'
import type { AskedServer } from '../ask-server.ts'
import type { Context, ExitCode } from '../context.ts'
import { processAt } from '../health.ts'
import { type Located, locate, reach } from '../locate.ts'
import { shownAddress } from '../server-address.ts'
import { STOPPING } from '../setting-groups.ts'
import { howToEnd } from '../unlisted-server.ts'

export async function stop(context: Context, flags: GivenSettings): Promise<ExitCode> {
  const located = await locate(context, flags, { needed: STOPPING, withoutState: 'always' })
  const { kind } = await stopLocated(context, located)
  if (kind === 'not running') context.print.line('Not running.')
  const stale = await whyStillThere(located.loaded.config.pidFile)
  if (stale !== undefined) context.print.note(stale)
  if (kind !== 'not running') return 0
  // What was found at first may have been stopped by someone else meanwhile.
  const other = await reach({ ...located, running: undefined })
  if (other === undefined) return 0
  context.print.note(await describeOther(other))
  return 1
}

/**
 * A server that no pid file names is left alone: a service would restart it, and in a container its pid is a different
 * one.
 */
async function describeOther(other: AskedServer): Promise<string> {
  const pid = await processAt(other)
  const who = pid === undefined ? 'a server' : `a server (process ${pid})`
  const where = shownAddress(other.url, '')
  return `But ${who} answers at ${where}: in the foreground, as a service, or without its pid file. ${howToEnd(pid)}.`
}

/**
 * Stops the server and says so; says nothing if there is none. Which one that is may have changed since it was located.
 */
export async function stopLocated({ print }: Context, { loaded, running }: Located) {
  const { pidFile, drainTimeout } = loaded.config
  const done = print.progress(whatTakesTime(running, pidFile))
  const outcome = await stopProcess(pidFile, drainTimeout).finally(done)
  if (outcome.kind === 'stopped') print.line(`Stopped process ${outcome.pid}.`)
  if (outcome.kind === 'killed') print.line(`Ended process ${outcome.pid} by force: it did not stop in time.`)
  return outcome
}

function whatTakesTime(running: RunningServer | undefined, pidFile: string): string {
  const obstacle = running === undefined ? lockInTheWay(pidFile) : undefined
  if (obstacle !== undefined) return `Waiting for ${obstacle} …`
  if (running?.stopping) return 'Ending it at once, except for a token refresh.'
  return 'Stopping; running answers may finish. Run `codex-api-proxy stop` again to end it at once.'
}
