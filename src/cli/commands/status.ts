import { OPTION_NAMES, type Origins, shortName } from '../../config/load.ts'
import { type Config, OPTIONS, type OptionName } from '../../config/options.ts'
import { shortPath } from '../../config/paths.ts'
import { findCrashed, type RunningServer } from '../../daemon/pid-file.ts'
import { packageVersion } from '../../version.ts'
import type { AskedServer } from '../ask-server.ts'
import type { Call } from '../command.ts'
import { type Context, type ExitCode, NOT_RUNNING } from '../context.ts'
import { type Health, healthOf } from '../health.ts'
import { healthRows, outdated, problemOf, SILENT_REMEDY, warningOf } from '../health-report.ts'
import { atNamedPort, type Located, locate, logFileOf, reach, savedSettings } from '../locate.ts'
import { checksCertificate, reachableUrl, shownAddress } from '../server-address.ts'
import { shownValue } from '../shown.ts'

type Settings = { readonly config: Config; readonly origins: Origins; readonly of: 'running' | 'next restart' }

export async function status(context: Context, { settings: flags, flags: { json, verbose } }: Call): Promise<ExitCode> {
  const located = atNamedPort(context, await locate(context, flags), flags)
  // While a server stops, another one may already answer at its address: the two must not be mixed up.
  const reached = located.running?.stopping ? undefined : await reach(located)
  const health = reached && (await healthOf(reached))
  const settings = settingsToShow(context, located, reached)
  if (settings?.of === 'next restart') {
    for (const reason of located.loaded.unusable) context.print.note(`The next start would fail: ${reason}`)
  }
  const shown = { located, reached, health, settings }
  await reportCrash(context, located, reached)
  if (json === true) context.print.json(report(shown))
  else show(context, shown, verbose === true)
  return reached === undefined && located.running === undefined ? NOT_RUNNING : 0
}

/** "Not running" alone would hide that the server ended without being stopped. */
async function reportCrash({ print }: Context, { loaded, running }: Located, reached?: AskedServer): Promise<void> {
  if (running !== undefined || reached !== undefined) return
  const crashed = await findCrashed(loaded.config.pidFile)
  if (crashed === undefined) return
  const when = crashed.stopping ? 'was still stopping when' : 'was not stopped:'
  print.note(
    `The previous server (process ${crashed.pid}) ${when} it crashed, was killed, or the machine went down. See \`codex-api-proxy logs\`.`,
  )
}

/**
 * A background server runs with the settings saved at its start; those of its next start may differ. Undefined if they
 * are not known: its state file is gone or broken.
 */
function settingsToShow(
  context: Context,
  { loaded, saved, running }: Located,
  reached?: AskedServer,
): Settings | undefined {
  if (running === undefined) return reached === undefined ? { ...loaded, of: 'next restart' } : undefined
  const inUse = savedSettings(context, saved)
  return inUse && { config: inUse.config, origins: { ...inUse.origins, ...saved.origins }, of: 'running' }
}

type Shown = {
  readonly located: Located
  readonly reached: AskedServer | undefined
  readonly health: Health | undefined
  readonly settings: Settings | undefined
}

function report({ located, reached, health, settings }: Shown): object {
  const { loaded, running } = located
  const isRunning = running !== undefined || reached !== undefined
  return {
    running: isRunning,
    ...(isRunning && { mode: running === undefined ? 'foreground' : 'background' }),
    ...(isRunning && { pid: running?.pid ?? health?.pid ?? null, stopping: running?.stopping === true }),
    ...(reached !== undefined && { url: reachableUrl(reached.url) }),
    ...(isRunning && { health: health?.json ?? null }),
    installedVersion: packageVersion(),
    ...(settings !== undefined && { settingsOf: settings.of, settings: settingsReport(settings) }),
    files: { pid: loaded.config.pidFile, log: logFileOf(located), state: loaded.config.stateFile },
  }
}

function settingsReport(settings: Settings): object {
  const { config, origins } = settings
  const value = (name: OptionName) => {
    const isHidden = 'secret' in OPTIONS[name] && config[name] !== undefined
    return isHidden ? shownValue(OPTIONS[name], config[name]) : (config[name] ?? null)
  }
  return Object.fromEntries(OPTION_NAMES.map((name) => [name, { value: value(name), origin: origins[name] }]))
}

function show({ print, bases }: Context, { located, reached, health, settings }: Shown, verbose: boolean): void {
  const { running } = located
  print.line(headline(running, reached, health))
  const version = outdated(health, running === undefined ? 'elsewhere' : 'background')
  for (const problem of [problemOf(health), warningOf(health), version]) {
    if (problem !== undefined) print.line(print.style('yellow', problem))
  }
  if (!verbose) return
  if (health !== undefined) {
    print.line()
    print.table(healthRows(health, Date.now()))
  }
  if (settings !== undefined) {
    print.line()
    const title = settings.of === 'running' ? 'Setting' : 'Setting of the next restart'
    const head = [title, 'From', 'Value'].map((text) => print.style('bold', text))
    print.table([head, ...rows(settings, bases.home)])
  }
  if (running !== undefined) print.line(`\nLog: ${logFileOf(located)}`)
}

function headline(
  running: RunningServer | undefined,
  reached: AskedServer | undefined,
  health: Health | undefined,
): string {
  const pid = running?.pid
  if (running?.stopping) return `Stopping (process ${pid}); running answers may finish.`
  if (reached === undefined) return pid === undefined ? 'Not running.' : `Starting (process ${pid}).`
  if (health === undefined) {
    const trust = checksCertificate(reached.url) ? ', or has a certificate that is not trusted here' : ''
    const [which, remedy] = pid === undefined ? ['', ''] : [` (process ${pid})`, ` ${SILENT_REMEDY}`]
    return `Running${which}, but ${reachableUrl(reached.url)} does not answer${trust}.${remedy}`
  }
  const answering = pid ?? health.pid
  const who = [
    ...(answering === undefined ? [] : [`process ${answering}`]),
    ...(pid === undefined ? ['in the foreground or as a service'] : []),
  ]
  return `Running: ${shownAddress(reached.url)} (${who.join(', ')})`
}

function rows({ config, origins }: Settings, home: string): string[][] {
  return OPTION_NAMES.map((name) => {
    const option = OPTIONS[name]
    return [shortName(option), origins[name], shortPath(shownValue(option, config[name]), home)]
  })
}
