import { packageVersion } from '../version.ts'
import type { Health } from './health.ts'
import { fromNow, utcMinute } from './shown.ts'
import { whereStarted } from './unlisted-server.ts'

/** For a server that does not answer, or not as it should. */
export const SILENT_REMEDY = 'See `codex-api-proxy logs`, or restart it: `codex-api-proxy restart`.'

/** What a server says of itself, as rows of a table; anything it doesn't say has no row. `now` in milliseconds. */
export function healthRows(health: Health, now: number): string[][] {
  const { version, login, upstream } = health
  const rows: (readonly [string, string | undefined])[] = [
    ['Version', version],
    ['Login', loginText(health)],
    ['Expires', momentText(login?.expiresAt, now)],
    ['Refreshed', momentText(login?.lastRefresh, now)],
    ['File', login?.file],
    ['Upstream', upstream],
    ['Outbound proxy', outboundText(health)],
    ...health.limits.map((limit) => ['Limit', limitText(limit, now)] as const),
  ]
  return rows.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]))
}

/** The kind of login, and its plan. */
export function loginText({ mode, login }: Health): string {
  switch (mode) {
    case 'chatgpt':
      return login?.plan === undefined ? 'ChatGPT' : `ChatGPT, plan ${login.plan}`
    case 'api-key':
      return 'API key'
    default:
      return 'none'
  }
}

/** Why requests fail now and what to do, in one line; undefined if they don't. */
export function problemOf(health: Health | undefined): string | undefined {
  const problem = health?.login?.problem
  if (problem !== undefined) return oneLine(problem.message, problem.remedy)
  return health?.status === 'error' ? 'Requests fail now; the client key is needed to see why.' : undefined
}

/** What will make requests fail later, in one line: for example a login that can't be refreshed. */
export function warningOf(health: Health | undefined): string | undefined {
  const warning = health?.login?.warning
  return warning && oneLine('Requests still work.', warning.message, warning.remedy)
}

/** That another version than the installed one runs, and what to do: an upgrade changes nothing in a running server. */
export function outdated(health: Health | undefined, where: 'background' | 'elsewhere'): string | undefined {
  const installed = packageVersion()
  const version = health?.version
  if (version === undefined || version === installed) return undefined
  const how = where === 'background' ? 'run `codex-api-proxy restart`' : `restart it ${whereStarted('restart')}`
  return `It runs version ${version}; ${how} to use ${installed}.`
}

function outboundText({ outboundProxy }: Health): string | undefined {
  if (outboundProxy === undefined) return undefined
  const { proxy, origin, inUse, note } = outboundProxy
  const remark = note === undefined ? '' : ` (${note})`
  if (inUse) return `${proxy}, ${origin}${remark}`
  if (origin === 'none') return 'none, direct'
  return origin === 'implicit' ? note : `none, direct, although ${proxy} is set${remark}`
}

/** Limits are only known from upstream's latest answer, so the reset may be over by now. */
function limitText({ usedPercent, windowMinutes, resetsAt }: Health['limits'][number], now: number): string {
  const used = `${usedPercent} % used${windowText(windowMinutes)}`
  if (resetsAt === undefined) return used
  const reset = fromNow(resetsAt, now)
  return resetsAt < now ? `reset ${reset}; before that ${used}` : `${used}, resets ${reset}`
}

function windowText(minutes: number | undefined): string {
  if (minutes === undefined) return ''
  // Windows of 299 and 10079 minutes occur.
  return minutes < 36 * 60 ? ` of ${Math.round(minutes / 60)} h` : ` of ${Math.round(minutes / 1440)} days`
}

function momentText(moment: number | undefined, now: number): string | undefined {
  return moment === undefined ? undefined : `${utcMinute(moment)} (${fromNow(moment, now)})`
}

function oneLine(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' ')
}
