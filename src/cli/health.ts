import { type JsonObject, objectOf, textOf } from '../json-object.ts'
import { packageVersion } from '../version.ts'
import { type AskedServer, healthOf } from './ask-server.ts'
import { fromNow } from './shown.ts'
import { whereStarted } from './unlisted-server.ts'

/** What `/health` says, as rows of a table. Anything it doesn't say has no row. `now` in milliseconds since the epoch. */
export function healthRows(health: JsonObject, now: number): string[][] {
  const credentials = objectOf(health.credentials)
  const limits = objectOf(health.rateLimits)
  return [
    row('Version', textOf(health.version)),
    row('Login', loginText(health, credentials)),
    row('Expires', momentText(credentials.expiresAt, now)),
    row('Refreshed', momentText(credentials.lastRefresh, now)),
    row('File', textOf(credentials.file)),
    row('Upstream', textOf(health.upstream)),
    row('Outbound proxy', outboundText(objectOf(health.outboundProxy))),
    ...limitRows(limits, now),
  ].flatMap((each) => (each === undefined ? [] : [each]))
}

/** Why requests fail now and what to do, in one line; undefined if they don't. */
export function problemOf(health: JsonObject | undefined): string | undefined {
  const problem = objectOf(objectOf(health?.credentials).problem)
  const text = oneText(problem.message, problem.remedy)
  if (text !== undefined) return text
  return health?.status === 'error' ? 'Requests fail now; the client key is needed to see why.' : undefined
}

/** What will make requests fail later, in one line: for example a login that can't be refreshed. */
export function warningOf(health: JsonObject | undefined): string | undefined {
  const { warning, remedy } = objectOf(health?.credentials)
  return warning === undefined ? undefined : oneText('Requests still work.', warning, remedy)
}

/** The server's process id, which it tells only those who have the client key. */
export function processOf(health: JsonObject | undefined): number | undefined {
  return typeof health?.pid === 'number' ? health.pid : undefined
}

/** The process that answers there. */
export async function processAt(server: AskedServer): Promise<number | undefined> {
  return processOf(await healthOf(server))
}

/** That another version than the installed one runs, and what to do: an upgrade changes nothing in a running server. */
export function outdated(health: JsonObject | undefined, where: 'background' | 'elsewhere'): string | undefined {
  const installed = packageVersion()
  const version = textOf(health?.version)
  if (version === undefined || version === installed) return undefined
  const how = where === 'background' ? 'run `codex-api-proxy restart`' : `restart it ${whereStarted('restart')}`
  return `It runs version ${version}; ${how} to use ${installed}.`
}

function loginText(health: JsonObject, credentials: JsonObject): string | undefined {
  const plan = textOf(credentials.plan)
  switch (health.mode) {
    case 'chatgpt':
      return plan === undefined ? 'ChatGPT' : `ChatGPT, plan ${plan}`
    case 'api-key':
      return 'API key'
    default:
      return 'none'
  }
}

function outboundText({ proxy, origin, inUse, note }: JsonObject): string | undefined {
  if (typeof proxy !== 'string') return undefined
  const remark = textOf(note) === undefined ? '' : ` (${textOf(note)})`
  if (inUse === true) return `${proxy}, ${String(origin)}${remark}`
  if (origin === 'none') return 'none, direct'
  return origin === 'implicit' ? textOf(note) : `none, direct, although ${proxy} is set${remark}`
}

function limitRows(limits: JsonObject, now: number): (string[] | undefined)[] {
  return ['primary', 'secondary'].map((name) => {
    const window = objectOf(limits[name])
    if (typeof window.usedPercent !== 'number') return undefined
    const used = `${window.usedPercent} % used${windowText(window.windowMinutes)}`
    return ['Limit', limitText(used, window.resetsAt, now)]
  })
}

/** Limits are only known from upstream's latest answer, so the reset may be over by now. */
function limitText(used: string, resetsAt: unknown, now: number): string {
  if (typeof resetsAt !== 'number') return used
  const moment = resetsAt * 1000
  const reset = fromNow(moment, now)
  return moment < now ? `reset ${reset}; before that ${used}` : `${used}, resets ${reset}`
}

function windowText(minutes: unknown): string {
  if (typeof minutes !== 'number') return ''
  // Windows of 299 and 10079 minutes occur.
  return minutes < 36 * 60 ? ` of ${Math.round(minutes / 60)} h` : ` of ${Math.round(minutes / 1440)} days`
}

function momentText(value: unknown, now: number): string | undefined {
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) return undefined
  return `${value.slice(0, 16).replace('T', ' ')} UTC (${fromNow(Date.parse(value), now)})`
}

/** The parts that are texts, as one line. */
function oneText(...parts: readonly unknown[]): string | undefined {
  return parts.flatMap((part) => textOf(part) ?? []).join(' ') || undefined
}

function row(name: string, text: string | undefined): string[] | undefined {
  return text === undefined ? undefined : [name, text]
}
