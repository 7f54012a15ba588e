import { loadConfig } from '../../../config/load.ts'
import type { Bases } from '../../../config/paths.ts'
import { UsageError } from '../../../config/usage-error.ts'
import type { StartOrder, StartReport } from '../../../daemon/messages.ts'
import { type Claim, claimPidFile } from '../../../daemon/pid-file.ts'
import { runFilesRemedy } from '../../../daemon/run-files.ts'
import { ignoreHabitualSignals, stopOnSignals } from '../../../daemon/signals.ts'
import { saveState } from '../../../daemon/state-file.ts'
import { onStopRequest } from '../../../daemon/stop-request.ts'
import { toError } from '../../../errors.ts'
import { type ListeningServer, serve } from '../../../http/serve.ts'
import { isObject } from '../../../json-object.ts'
import { describeError } from '../../../system/describe-error.ts'
import { type LogFile, openLogFile } from '../../../telemetry/log-file.ts'
import type { Context, ExitCode } from '../../context.ts'

/**
 * The background process: gets its settings from the `start` that spawned it, reports to it, and continues on its own.
 */
export async function runInBackground({ bases }: Context): Promise<ExitCode> {
  if (process.send === undefined) throw new Error('This is how `start` runs the server; use `start --foreground`.')
  ignoreHabitualSignals(process)
  const order = await receiveOrder()
  // The `start` that waits for the report has given up (Ctrl-C): nobody wants this server.
  const onDisconnect = () => process.kill(process.pid, 'SIGTERM')
  process.once('disconnect', onDisconnect)
  try {
    await runServer(order, bases, (report) => {
      process.off('disconnect', onDisconnect)
      sendReport(report)
    })
    return 0
  } catch (error) {
    process.off('disconnect', onDisconnect)
    if (!process.connected) throw error
    sendReport(failure(error))
    return 1
  }
}

async function runServer(
  { settings, origins }: StartOrder,
  bases: Bases,
  report: (report: StartReport) => void,
): Promise<void> {
  const { config } = loadConfig({ flags: settings, env: {}, bases })
  const claim = await claimPidFile(config.pidFile)
  if ('pid' in claim) return report({ kind: 'running', server: claim })
  process.once('exit', claim.release)
  const log = openLogFile(config.logFile, config.logMaxSize)
  // Node's own report goes to the file that the log was at the start, which is gone after two rotations.
  process.on('uncaughtExceptionMonitor', (error) => logEnd(log, 'fatal', 'the server crashed', error))
  const server = await serve(config, log)
  const reporter = { draining: () => {}, failed: (error: unknown) => logEnd(log, 'error', 'stopping failed', error) }
  const release = stopOnSignals(process, notingStop(server, claim), reporter, 'ignore')
  const endLooking = onStopRequest(config.pidFile, () => process.emit('SIGTERM'))
  try {
    // Not earlier: `restart` should not reuse settings that do not start. Not after the address: whoever reads that
    // must also find the settings that the server runs with.
    await saveState(config.stateFile, { settings, origins })
    await claim.announce({ url: server.url, logFile: config.logFile })
    report({ kind: 'ready', url: server.url })
  } catch (error) {
    await server.close()
    throw error
  }
  await server.finished
  endLooking()
  release()
  log.close()
}

/** The stop is noted first, so that anyone who is refused a connection finds the reason. */
function notingStop(server: ListeningServer, claim: Claim): Pick<ListeningServer, 'drain' | 'close'> {
  return {
    drain() {
      claim.noteStopping()
      return server.drain()
    },
    close: server.close,
  }
}

function receiveOrder(): Promise<StartOrder> {
  return new Promise((resolve, reject) => {
    process.once('disconnect', () => reject(new Error('`start` ended before it sent settings.')))
    process.once('message', (message: unknown) => {
      if (isOrder(message)) resolve(message)
      else reject(new Error('No settings came from `start`.'))
    })
  })
}

function isOrder(message: unknown): message is StartOrder {
  return isObject(message) && 'settings' in message && 'origins' in message
}

function sendReport(report: StartReport): void {
  process.send?.(report, () => {
    if (process.connected) process.disconnect()
  })
}

function failure(error: unknown): StartReport {
  const reason = describeError(error)
  if (error instanceof UsageError) return { kind: 'failed', reason, code: 'usage' }
  if (!(error instanceof Error && 'code' in error)) return { kind: 'failed', reason }
  // A run file: `start` had checked it, but it failed since.
  if ('path' in error) return { kind: 'failed', reason: `${reason} ${runFilesRemedy(error)}` }
  return { kind: 'failed', reason, code: String(error.code) }
}

function logEnd(log: LogFile, level: 'error' | 'fatal', what: string, error: unknown): void {
  const { stack } = toError(error)
  const time = new Date().toISOString()
  log.write(`${JSON.stringify({ level, time, msg: `${what}: ${describeError(error)}`, stack })}\n`)
}
