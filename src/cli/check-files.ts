import { once } from 'node:events'
import { lstat, mkdtemp, open, rmdir, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import type { Config } from '../config/options.ts'
import { secretsFileOf } from '../daemon/state-file.ts'
import { configuredUrl, isProxy } from './ask-server.ts'
import { type Check, ok, problem, skipped } from './check.ts'
import { explain } from './explain.ts'
import type { Located, Reached } from './locate.ts'
import { checkStartable } from './start.ts'

/** Whether the server runs; if not, whether it could listen. */
export async function checkServer({ loaded, running }: Located, reached: Reached | undefined): Promise<Check[]> {
  const { config } = loaded
  if (running !== undefined) {
    return [
      ok('Process', `The server runs in the background (process ${running.pid}).`),
      ok('Port', `${running.url ?? 'still starting'}`),
    ]
  }
  if (reached !== undefined) {
    return [ok('Process', 'The server runs in the foreground or as a service.'), ok('Port', reached.url)]
  }
  const leftOver = await exists(config.pidFile)
  const process = leftOver
    ? 'Not running; the pid file of an earlier one is replaced at the next start.'
    : 'Not running.'
  return [ok('Process', process), ...checkSettings(config), await checkRunFiles(config), await checkPort(config)]
}

/** Says nothing when all is well: what is wrong in one setting alone was refused before. */
function checkSettings(config: Config): Check[] {
  try {
    checkStartable(config)
    return []
  } catch (error) {
    return [problem('Settings', `It could not start: ${explain(error)}`, 'Change that setting.')]
  }
}

/** Whether a start could write what it has to. */
async function checkRunFiles({ pidFile, logFile, stateFile }: Config): Promise<Check> {
  try {
    for (const folder of new Set([pidFile, logFile, stateFile].map(dirname))) await tryToWrite(folder)
    await tryToOpen(logFile)
    return ok('Run files', 'Pid, log and state file can be written.')
  } catch (error) {
    const remedy =
      'Make it writable, or choose --pid-file, --log-file and --state-file elsewhere; --foreground needs none.'
    return problem('Run files', explain(error), remedy)
  }
}

/** In the folder, or where it would be made. By doing it: modes alone don't tell, and nothing stays behind. */
async function tryToWrite(folder: string, place = folder): Promise<void> {
  try {
    await rmdir(await mkdtemp(join(place, '.doctor-')))
  } catch (error) {
    const above = dirname(place)
    if (above !== place && !(await lstat(place).catch(() => undefined))) return await tryToWrite(folder, above)
    throw error instanceof Error ? Object.assign(error, { path: folder }) : error
  }
}

/** A log is added to; the other files are replaced. */
async function tryToOpen(logFile: string): Promise<void> {
  if (await exists(logFile)) await (await open(logFile, 'r+')).close()
}

async function checkPort(config: Config): Promise<Check> {
  const server = createServer()
  try {
    server.listen(config.port, config.host)
    await once(server, 'listening')
    return ok('Port', config.port === 0 ? 'Any that is free.' : `${config.port} is free.`)
  } catch (error) {
    const who = (await isProxy(configuredUrl(config))) ? 'another codex-api-proxy' : explain(error)
    return problem('Port', `${config.host}:${config.port} can't be used: ${who}`, 'Choose another --port or --host.')
  } finally {
    server.close()
  }
}

/** What holds prompts, keys or tokens is for its owner alone. */
export async function checkPermissions(config: Config, authFile: string | undefined): Promise<Check> {
  // Windows has no such bits; Node makes them up there.
  if (process.platform === 'win32') return skipped('Permissions', 'Windows keeps them in another way.')
  const { pidFile, logFile, stateFile, apiKeyFile, tlsKey } = config
  const files = [authFile, pidFile, logFile, stateFile, secretsFileOf(stateFile), apiKeyFile, tlsKey]
  const paths = [dirname(stateFile), ...files].filter((path) => path !== undefined)
  const open: string[] = []
  for (const path of paths) if (await isOpenToOthers(path)) open.push(path)
  if (open.length === 0) return ok('Permissions', 'Files with secrets or logs are private.')
  return problem('Permissions', `Others can read ${open.join(', ')}.`, `Run: chmod go= ${open.join(' ')}`)
}

async function isOpenToOthers(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && (found.mode & 0o077) !== 0
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
