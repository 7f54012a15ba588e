import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { serverUrl } from '../../../config/endpoint.ts'
import { type GivenSettings, type LoadedConfig, loadConfig, OPTION_NAMES } from '../../../config/load.ts'
import { type Config, OPTIONS } from '../../../config/options.ts'
import { certificateVariables } from '../../../config/paths.ts'
import { UsageError } from '../../../config/usage-error.ts'
import { ensureFolderOf, writeLastingFile } from '../../../daemon/private-file.ts'
import { STOP_GRACE_MS } from '../../../daemon/process.ts'
import { checkStartable } from '../../../http/startable.ts'
import { withRemedy } from '../../../system/describe-error.ts'
import { textIn } from '../../../system/text-file.ts'
import type { Call } from '../../command.ts'
import { type Context, type ExitCode, NOT_RUNNING } from '../../context.ts'
import { explain } from '../../explain.ts'
import { processAt } from '../../health.ts'
import { locate } from '../../locate.ts'
import { shownAddress } from '../../server-address.ts'
import { shellList } from '../../shell.ts'
import { holdsSecret } from '../../shown.ts'
import { checkRereadable } from '../start/rereadable-files.ts'
import { checkAddress } from '../start/try-to-listen.ts'
import { isRunning, runAll, unload } from './run-manager.ts'
import { type Manager, managerOf, portIn, type ServiceFile, serviceFile, settingsAsVariables } from './service-files.ts'
import { isTemporary, stablePath } from './stable-path.ts'

const UNWRITTEN_REMEDY =
  'Make that path writable, or install the file by hand: `codex-api-proxy service install --print` shows it.'

const TEMPORARY_NOTE =
  'The program runs from a temporary folder (of npx or similar), which does not last and gets no updates: run ' +
  '`npm install -g codex-api-proxy` first, then install the service.'

export async function service(context: Context, call: Call): Promise<ExitCode> {
  const isPrinted = call.flags.print === true
  // Finding or removing the file needs no setting, so an invalid one must not prevent that.
  const isFilledIn = call.argument === 'install' || (call.argument === 'status' && isPrinted)
  const loaded = loadConfig({ ...context, flags: call.settings, needed: isFilledIn ? undefined : [] })
  const file = describeService(context, loaded)
  if (isFilledIn) {
    // The manager would not report that a service ends at once.
    checkRereadable(loaded.config)
    checkStartable(loaded.config)
    if (isTemporary(context.program)) context.print.note(TEMPORARY_NOTE)
  }
  if (isPrinted) return isFilledIn ? printFile(context, loaded, call) : printRemoval(context, file, call)
  switch (call.argument) {
    case 'install':
      return await install(context, loaded.config, file, call)
    case 'uninstall':
      return await uninstall(context, loaded.config, file, call)
    default:
      return showStatus(context, file, call)
  }
}

function describeService(context: Context, { config, given }: LoadedConfig): ServiceFile {
  const { NODE_OPTIONS, NODE_USE_SYSTEM_CA } = context.env
  // What Node and the proxy read at start besides the settings.
  const kept = {
    ...certificateVariables(context.env, context.bases.cwd),
    ...(NODE_OPTIONS && { NODE_OPTIONS }),
    ...(NODE_USE_SYSTEM_CA && { NODE_USE_SYSTEM_CA }),
  }
  return serviceFile(managerHere(), {
    home: context.bases.home,
    configHome: context.env.XDG_CONFIG_HOME || join(context.bases.home, '.config'),
    userId: process.getuid?.() ?? 0,
    node: stablePath(process.execPath),
    program: stablePath(context.program),
    logFile: config.logFile,
    environment: { ...kept, ...settingsAsVariables(given) },
    drainTimeout: config.drainTimeout,
  })
}

function managerHere(): Manager {
  const manager = managerOf(process.platform)
  if (manager !== undefined) return manager
  throw new UsageError(
    'Services are supported on Linux (systemd) and macOS (launchd). Here, let the system run `codex-api-proxy start` when you log in.',
  )
}

/** Stands for a secret in a file that is only shown. It has spaces, since no server starts with a key like that. */
const PLACEHOLDER = 'FILL IN HERE'

function printFile(context: Context, loaded: LoadedConfig, { flags }: Call): ExitCode {
  const { print } = context
  const given = flags.showSecrets === true ? loaded.given : withoutSecrets(loaded)
  const { manager, path, content, install: commands } = describeService(context, { ...loaded, given })
  if (flags.json === true) print.json({ manager, path, content, commands })
  else {
    print.line(`# ${path}`)
    print.raw(content)
    print.line()
    for (const command of commands) print.line(`# ${shellList(command)}`)
  }
  if (Object.values(given).includes(PLACEHOLDER)) {
    print.note(`Replace ${PLACEHOLDER} with your secrets, or use --show-secrets.`)
  }
  return 0
}

function withoutSecrets({ given, config }: LoadedConfig): GivenSettings {
  const hidden = OPTION_NAMES.filter((name) => given[name] !== undefined && holdsSecret(OPTIONS[name], config[name]))
  return { ...given, ...Object.fromEntries(hidden.map((name) => [name, PLACEHOLDER])) }
}

function printRemoval(
  { print }: Context,
  { manager, path, uninstall: stop, forget }: ServiceFile,
  { flags }: Call,
): ExitCode {
  const commands = [...stop, ['rm', path], ...forget]
  if (flags.json === true) print.json({ manager, path, commands })
  else for (const command of commands) print.line(shellList(command))
  return 0
}

async function install(
  context: Context,
  config: Config,
  file: ServiceFile,
  { settings, flags }: Call,
): Promise<ExitCode> {
  const { print } = context
  const { running } = await locate(context, settings)
  if (running !== undefined) {
    throw new Error(
      'The server already runs in the background; run `codex-api-proxy stop` first, then install the service.',
    )
  }
  // launchd opens the log itself, and would make its folder readable for others.
  if (file.manager === 'launchd') await ensureFolderOf(config.logFile).catch(withRemedy('Choose another --log-file.'))
  const isOwn = isRunning(file)
  const keepsPort = isOwn && installedPort(file) === config.port
  await checkAddress(config, keepsPort)
  // The manager accepts a changed file only after it has unloaded the old one.
  if (isOwn) await unload(file, config.drainTimeout + STOP_GRACE_MS)
  // The settings in it may hold the client key.
  await writeLastingFile(file.path, file.content).catch(withRemedy(UNWRITTEN_REMEDY))
  if (flags.json !== true) print.line(`Written: ${file.path}`)
  runAfterWriting(file)
  if (flags.json === true) print.json(report(file, { installed: true, running: true }))
  else print.line('The service is running, and starts with your session.')
  if (file.manager === 'systemd') print.note('To run it without a session too: loginctl enable-linger')
  return 0
}

/** Without a manager (in a container, in WSL, in another user's shell) the file is written but nothing runs. */
function runAfterWriting({ install: commands }: ServiceFile): void {
  try {
    runAll(commands)
  } catch (error) {
    const shown = commands.map(shellList).join(' && ')
    throw new Error(
      `${explain(error)}. The file was written, but the service is not running. Run \`${shown}\` in a session that has ` +
        'a service manager; if there is none, remove the file with `codex-api-proxy service uninstall` and use ' +
        '`codex-api-proxy start`.',
      { cause: error },
    )
  }
}

async function uninstall({ print }: Context, config: Config, file: ServiceFile, { flags }: Call): Promise<ExitCode> {
  const tellDone = (text: string) =>
    flags.json === true ? print.json(report(file, { installed: false, running: false })) : print.line(text)
  if (!existsSync(file.path)) {
    tellDone('Not installed.')
    return 0
  }
  let problem: unknown
  try {
    runAll(file.uninstall)
  } catch (error) {
    problem = error
  }
  // The file stays, since the next try needs it.
  if (problem !== undefined && isRunning(file)) {
    throw new Error(
      `${explain(problem)}. The service is still running, and nothing was removed. Stop it with \`${shellList(file.stop)}\`, then uninstall it again.`,
      { cause: problem },
    )
  }
  const url = serverUrl({ ...config, port: installedPort(file) })
  await rm(file.path)
  tellDone(`Removed: ${file.path}`)
  if (problem === undefined) runAll(file.forget)
  else print.note(`${explain(problem)}. ${await howToEndIt(url, file)}`)
  return 0
}

/** The port of the service as it was installed, perhaps with other settings than now. */
function installedPort({ path, content }: ServiceFile): number {
  return portIn(textIn(path) ?? content)
}

/** For a manager that can't be reached, as in a shell without a session: the service runs on, unless it was stopped. */
async function howToEndIt(url: string, { stop }: ServiceFile): Promise<string> {
  const inSession = `in its session: ${shellList(stop)}`
  const pid = await processAt({ url })
  if (pid === undefined) return `If the service still runs, stop it ${inSession}`
  return `A server (process ${pid}) still answers at ${shownAddress(url, '')}: end it with \`kill ${pid}\`, or, if it is the service, ${inSession}`
}

function showStatus({ print }: Context, file: ServiceFile, { flags }: Call): ExitCode {
  const installed = existsSync(file.path)
  const running = installed && isRunning(file)
  if (flags.json === true) print.json(report(file, { installed, running }))
  else print.line(installed ? `Installed (${file.path}), ${running ? 'running' : 'not running'}.` : 'Not installed.')
  return running ? 0 : NOT_RUNNING
}

function report({ manager, path }: ServiceFile, state: { installed: boolean; running: boolean }): object {
  return { manager, path, ...state }
}
