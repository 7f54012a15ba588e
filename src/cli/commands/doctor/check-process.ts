import { existsSync } from 'node:fs'
import type { Config } from '../../../config/options.ts'
import type { RunningServer } from '../../../daemon/pid-file.ts'
import { checkRunFiles, runFilesRemedy } from '../../../daemon/run-files.ts'
import { checkStartable } from '../../../http/startable.ts'
import { isCode } from '../../../system/error-code.ts'
import type { AskedServer } from '../../ask-server.ts'
import { explain } from '../../explain.ts'
import type { Health } from '../../health.ts'
import { outdated } from '../../health-report.ts'
import type { Located } from '../../locate.ts'
import { shownAddress } from '../../server-address.ts'
import { tryToListen } from '../start/try-to-listen.ts'
import { type Check, ok, problem } from './check.ts'

/** Whether the server runs; if not, whether it could listen. */
export async function checkProcess(
  { loaded, running }: Located,
  reached: AskedServer | undefined,
  health: Health | undefined,
): Promise<Check[]> {
  const { config } = loaded
  if (running !== undefined && !running.stopping) {
    return [
      ok('Process', `The server runs in the background (process ${running.pid}).`),
      ...checkVersion(outdated(health, 'background')),
      ok('Port', running.url === undefined ? 'still starting' : shownAddress(running.url, '')),
    ]
  }
  if (reached !== undefined) {
    return [
      ok('Process', 'The server runs in the foreground or as a service.'),
      ...checkVersion(outdated(health, 'elsewhere')),
      ok('Port', shownAddress(reached.url, '')),
    ]
  }
  return [
    ok('Process', whyNotRunning(config, running)),
    ...checkSettings(config),
    await checkFiles(config),
    await checkPort(config),
  ]
}

/** Says nothing when all is well. */
function checkVersion(notice: string | undefined): Check[] {
  if (notice === undefined) return []
  return [problem('Version', 'The running server is of another version than this program.', notice)]
}

function whyNotRunning({ pidFile }: Config, stopping: RunningServer | undefined): string {
  if (stopping !== undefined) {
    return `The background server (process ${stopping.pid}) is stopping; running answers may finish, and \`start\` waits until it has ended.`
  }
  if (existsSync(pidFile)) return 'Not running; the next start replaces the pid file of an earlier server.'
  return 'Not running; `codex-api-proxy start` starts it.'
}

/** Says nothing when all is well. */
function checkSettings(config: Config): Check[] {
  try {
    checkStartable(config)
    return []
  } catch (error) {
    return [problem('Settings', `A start would fail: ${explain(error)}`, 'Change that setting.')]
  }
}

/** Whether a start could write what it has to. */
async function checkFiles(config: Config): Promise<Check> {
  try {
    await checkRunFiles(config)
    return ok('Run files', 'Pid, log and state file can be written.')
  } catch (error) {
    return problem('Run files', explain(error), runFilesRemedy(error))
  }
}

async function checkPort(config: Config): Promise<Check> {
  try {
    await tryToListen(config)
    return ok('Port', config.port === 0 ? 'Any free port.' : `${config.port} is free.`)
  } catch (error) {
    // Not a proxy of ours: that would have been reached and checked instead.
    const reason = isCode(error, 'EADDRINUSE') ? 'another program uses it.' : explain(error)
    return problem('Port', `${config.host}:${config.port} can't be used: ${reason}`, 'Choose another --port or --host.')
  }
}
