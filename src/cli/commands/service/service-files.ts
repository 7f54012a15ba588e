import { join } from 'node:path'
import { type GivenSettings, OPTION_NAMES } from '../../../config/load.ts'
import type { Option } from '../../../config/option.ts'
import { OPTIONS } from '../../../config/options.ts'
import { UsageError } from '../../../config/usage-error.ts'
import { STOP_GRACE_MS } from '../../../daemon/process.ts'

export type Manager = 'systemd' | 'launchd'

/** A service: the file that describes it, and the commands for its manager. */
export type ServiceFile = {
  readonly manager: Manager
  readonly path: string
  readonly content: string
  readonly install: readonly (readonly string[])[]
  readonly uninstall: readonly (readonly string[])[]
  /** Stops the service even when its file is gone. */
  readonly stop: readonly string[]
  /** To run after the file was removed. */
  readonly forget: readonly (readonly string[])[]
  /** Exits with 0 while the service runs. */
  readonly check: readonly string[]
}

type ServiceParts = {
  readonly home: string
  /** Where programs keep their configuration: XDG_CONFIG_HOME or ~/.config. */
  readonly configHome: string
  readonly userId: number
  readonly node: string
  readonly program: string
  readonly logFile: string
  /** Settings, and everything else the service needs in its environment. */
  readonly environment: Readonly<Record<string, string>>
  /** How long running answers may take after a stop, in milliseconds. */
  readonly drainTimeout: number
}

const UNIT = 'codex-api-proxy.service'
const LABEL = 'codex-api-proxy'

/** Given settings as variables, which unlike flags are not in the list of processes. A service uses no run files. */
export function settingsAsVariables(given: GivenSettings): Record<string, string> {
  const variables = OPTION_NAMES.flatMap((name): [string, string][] => {
    const option: Option<unknown> = OPTIONS[name]
    const [variable, value] = [option.env?.[0], given[name]]
    return variable === undefined || value === undefined ? [] : [[variable, [value].flat().join(',')]]
  })
  return Object.fromEntries(variables)
}

/** The port that the service of such a file listens at. */
export function portIn(content: string): number {
  const [, port] = /CODEX_PROXY_PORT(?:=|<\/key>\s*<string>)(\d+)/.exec(content) ?? []
  return port === undefined ? OPTIONS.port.default : Number(port)
}

type Verb = 'stop' | 'restart'

type Management = {
  readonly file: (parts: ServiceParts) => ServiceFile
  readonly command: (verb: Verb) => string
}

const MANAGERS: Readonly<Record<Manager, Management>> = {
  systemd: {
    file: systemdUnit,
    command: (verb) => `systemctl --user ${verb} ${LABEL}`,
  },
  launchd: {
    file: launchdAgent,
    command: (verb) => `launchctl ${verb === 'stop' ? 'bootout' : 'kickstart -k'} ${launchdTarget('$(id -u)')}`,
  },
}
const PLATFORMS: Readonly<Partial<Record<NodeJS.Platform, Manager>>> = { linux: 'systemd', darwin: 'launchd' }

/** Undefined where there are no services. */
export function managerOf(platform: NodeJS.Platform): Manager | undefined {
  return PLATFORMS[platform]
}

/** What stops or restarts the service, for a shell; undefined where there are no services. */
export function serviceCommand(verb: Verb, platform: NodeJS.Platform = process.platform): string | undefined {
  const manager = managerOf(platform)
  return manager && MANAGERS[manager].command(verb)
}

function launchdTarget(userId: number | string): string {
  return `gui/${userId}/${LABEL}`
}

export function serviceFile(manager: Manager, parts: ServiceParts): ServiceFile {
  return MANAGERS[manager].file(parts)
}

/** A unit of the user's own manager, systemd.service(5). */
function systemdUnit({ configHome, node, program, environment, drainTimeout }: ServiceParts): ServiceFile {
  const variables = Object.entries(environment).map(
    ([name, value]) => `Environment=${systemdQuote(`${name}=${value}`)}`,
  )
  const lines = [
    '[Unit]',
    'Description=OpenAI-compatible server on the Codex login',
    'Documentation=https://github.com/codex-api-proxy/codex-api-proxy',
    '',
    '[Service]',
    `ExecStart=${[node, program].map(systemdCommandQuote).join(' ')} start --foreground`,
    ...variables,
    'Restart=on-failure',
    'RestartSec=5',
    '# 2: the settings are unusable; starting again would not help.',
    'RestartPreventExitStatus=2',
    `TimeoutStopSec=${stopSeconds(drainTimeout)}`,
    'UMask=0077',
    'NoNewPrivileges=yes',
    '',
    '[Install]',
    'WantedBy=default.target',
    '',
  ]
  const systemctl = (...words: string[]) => ['systemctl', '--user', ...words]
  return {
    manager: 'systemd',
    path: join(configHome, 'systemd', 'user', UNIT),
    content: lines.join('\n'),
    install: [systemctl('daemon-reload'), systemctl('enable', '--now', UNIT)],
    uninstall: [systemctl('disable', '--now', UNIT)],
    stop: systemctl('stop', UNIT),
    forget: [systemctl('daemon-reload')],
    check: systemctl('is-active', '--quiet', UNIT),
  }
}

/** An agent of the user's session, launchd.plist(5). */
function launchdAgent({ home, userId, node, program, logFile, environment, drainTimeout }: ServiceParts): ServiceFile {
  const path = join(home, 'Library', 'LaunchAgents', `${LABEL}.plist`)
  const variables = Object.entries(environment).map(
    ([name, value]) => `    <key>${xmlText(name)}</key>\n    <string>${xmlText(value)}</string>`,
  )
  const words = [node, program, 'start', '--foreground'].map((word) => `    <string>${xmlText(word)}</string>`)
  const content = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${words.join('\n')}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables.join('\n')}
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ExitTimeOut</key>
  <integer>${stopSeconds(drainTimeout)}</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardErrorPath</key>
  <string>${xmlText(logFile)}</string>
</dict>
</plist>
`
  const service = launchdTarget(userId)
  const bootout = ['launchctl', 'bootout', service]
  return {
    manager: 'launchd',
    path,
    content,
    // A service that was once disabled stays disabled even if its file is new, and would be refused with `5:
    // Input/output error`.
    install: [
      ['launchctl', 'enable', service],
      ['launchctl', 'bootstrap', `gui/${userId}`, path],
    ],
    uninstall: [bootout],
    stop: bootout,
    forget: [],
    check: ['launchctl', 'print', service],
  }
}

/** How long the manager waits for a service that was asked to stop, before it kills it. */
function stopSeconds(drainTimeout: number): number {
  return Math.ceil((drainTimeout + STOP_GRACE_MS) / 1000)
}

/** Quoting and specifiers of systemd.syntax(7) and systemd.unit(5). */
function systemdQuote(text: string): string {
  // A line break can't be quoted: what follows it could be any other directive.
  if (/[\n\r]/.test(text)) throw new UsageError(`A service can't have a line break in ${named(text)}.`)
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`
}

/** The name of a variable without its value, which may be a secret; a path unchanged. */
function named(text: string): string {
  return /^\w+(?==)/.exec(text)?.[0] ?? JSON.stringify(text)
}

/** In commands `$` stands for a variable, too. */
function systemdCommandQuote(text: string): string {
  return systemdQuote(text).replaceAll('$', '$$$$')
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
