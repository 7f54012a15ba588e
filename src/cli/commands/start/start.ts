import { type GivenSettings, type LoadedConfig, loadConfig } from '../../../config/load.ts'
import type { Config } from '../../../config/options.ts'
import { certificateVariables } from '../../../config/paths.ts'
import { UsageError } from '../../../config/usage-error.ts'
import { findRunning, lockInTheWay } from '../../../daemon/pid-file.ts'
import { startProcess, waitForEnd } from '../../../daemon/process.ts'
import { runFilesRemedy } from '../../../daemon/run-files.ts'
import { NOTHING_SAVED, readState } from '../../../daemon/state-file.ts'
import { checkStartable } from '../../../http/startable.ts'
import { withRemedy } from '../../../system/describe-error.ts'
import { BACKGROUND_COMMAND, type Context, type ExitCode } from '../../context.ts'
import { healthOf } from '../../health.ts'
import { problemOf } from '../../health-report.ts'
import { readableKey } from '../../locate.ts'
import { lastLines } from '../logs/log-lines.ts'
import { addressOf, reportRunning } from './already-running.ts'
import { explainStart } from './explain-start.ts'
import { checkRereadable } from './rereadable-files.ts'

/** How much of the log is shown when a start fails: after a crash, Node's reason is followed by ten lines of stack. */
const LOG_LINES = 20

export async function start(context: Context, flags: GivenSettings): Promise<ExitCode> {
  const loaded = loadConfig({ ...context, flags })
  checkRereadable(loaded.config)
  return await startWith(context, loaded)
}

export async function startWith(context: Context, loaded: LoadedConfig): Promise<ExitCode> {
  const { print } = context
  await refuseSharedStateFile(context, loaded.config)
  await waitUntilStopped(context, loaded.config).catch(withRemedy(runFilesRemedy))
  const obstacle = lockInTheWay(loaded.config.pidFile)
  const done = print.progress(obstacle === undefined ? 'Starting …' : `Waiting for ${obstacle} …`)
  const outcome = await startProcess([context.program, BACKGROUND_COMMAND], loaded, childEnvironment(context))
    .catch(withRemedy(runFilesRemedy))
    .finally(done)
  switch (outcome.kind) {
    case 'started':
      print.line(`Started: ${addressOf(outcome.server)}`)
      for (const risk of risksOf(loaded.config)) print.note(risk)
      await reportLoginProblem(context, loaded.config, outcome.server.url)
      return 0
    case 'running':
      return await reportRunning(context, loaded, outcome.server)
    case 'failed':
      print.note(`codex-api-proxy: could not start: ${await explainStart(outcome, loaded.config)}`)
      if (outcome.code === 'usage') return 2
      await showLog(context, loaded.config, outcome.logFrom)
      return 1
  }
}

/** A server may run although every request would fail; whoever starts it should learn that now. */
async function reportLoginProblem({ print }: Context, config: Config, url: string): Promise<void> {
  const problem = problemOf(await healthOf({ url, clientKey: readableKey(config) }))
  if (problem !== undefined) print.note(problem)
}

/** Waits, as `stop` does, for a server that is stopping: until it ends, the pid file is its own. */
async function waitUntilStopped({ print }: Context, { pidFile, drainTimeout }: Config): Promise<void> {
  const running = await findRunning(pidFile)
  if (!running?.stopping) return
  const done = print.progress(
    `Waiting for process ${running.pid}, which is stopping. \`codex-api-proxy stop\` ends it at once.`,
  )
  await waitForEnd(running, drainTimeout).finally(done)
}

const HOME_VARIABLE = process.platform === 'win32' ? 'USERPROFILE' : 'HOME'

/** The server runs in another folder, where a relative path would mean another file. */
function childEnvironment({ env, bases }: Context): NodeJS.ProcessEnv {
  return { ...env, ...certificateVariables(env, bases.cwd), [HOME_VARIABLE]: bases.home }
}

/**
 * A state file describes one server. A second server with the same file would hide the first from every command, and
 * `restart` would mix their settings, so it is refused.
 */
async function refuseSharedStateFile(context: Context, { pidFile, stateFile }: Config): Promise<void> {
  // A broken one tells of no server.
  const saved = await readState(stateFile).catch(() => NOTHING_SAVED)
  if (saved === NOTHING_SAVED) return
  const before = loadConfig({ ...context, flags: { stateFile }, saved: saved.settings, needed: ['pidFile'] })
  if (before.config.pidFile === pidFile) return
  const other = await findRunning(before.config.pidFile)
  if (other === undefined) return
  throw new UsageError(
    `${stateFile} belongs to a running server (${addressOf(other)}). Stop that one first, or give this one another ` +
      'file with --state-file.',
  )
}

/** The risks of an open port; the server logs them too, but in the background nobody sees that. */
function risksOf(config: Config): string[] {
  const risks: string[] = []
  checkStartable(config, (risk) => risks.push(risk))
  return risks
}

async function showLog({ print }: Context, { logFile }: Config, from: number): Promise<void> {
  const lines = await lastLines(logFile, LOG_LINES, from)
  if (lines.length === 0) return
  print.note(`The last lines of ${logFile}:`)
  for (const line of lines) print.note(`  ${line}`)
}
