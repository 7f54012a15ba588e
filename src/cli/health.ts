import { asIndex, asNumber, asObject, asString, type JsonObject, objectOf, textOf, timeOf } from '../json-object.ts'
import { type AskedServer, askServer } from './ask-server.ts'

/**
 * What `/health` says (`routes/probes.ts`); without the client key only `status` and `mode`. The server may be of another
 * version, so anything may be undefined. Times in milliseconds since the epoch.
 */
export type Health = {
  readonly status: (typeof STATUSES)[number] | undefined
  readonly mode: (typeof MODES)[number] | undefined
  readonly pid: number | undefined
  readonly version: string | undefined
  /** The base URL that requests of this login go to. */
  readonly upstream: string | undefined
  readonly login: LoginHealth | undefined
  /** Undefined until the server knows it, shortly after its start. */
  readonly outboundProxy: OutboundProxyHealth | undefined
  readonly limits: readonly LimitHealth[]
  /** The whole answer, for programs. */
  readonly json: JsonObject
}

type LoginHealth = {
  readonly file: string | undefined
  readonly plan: string | undefined
  readonly expiresAt: number | undefined
  readonly lastRefresh: number | undefined
  /** Why requests fail now. */
  readonly problem: Notice | undefined
  /** What failed although requests still work. */
  readonly warning: Notice | undefined
}

/** What is wrong, and what to do. */
type Notice = { readonly message: string; readonly remedy: string | undefined }

type OutboundProxyHealth = {
  readonly proxy: string
  readonly origin: string | undefined
  readonly inUse: boolean
  readonly note: string | undefined
}

/** One window of the account's limits. */
type LimitHealth = {
  readonly usedPercent: number
  readonly windowMinutes: number | undefined
  readonly resetsAt: number | undefined
}

const STATUSES = ['ok', 'error'] as const
const MODES = ['api-key', 'chatgpt', 'none'] as const

const LIMIT_MS = 3000
/** For asking whether it is a proxy: a local one answers at once, and another program may never answer. */
const PROBE_LIMIT_MS = 1000

/** With the client key all of it; undefined if nothing there answers with a JSON object. */
export async function healthOf(server: AskedServer, limit = LIMIT_MS): Promise<Health | undefined> {
  const answer = await askServer(server, '/health', { limit })
  return answer && readHealth(answer.body)
}

/** Whether what answers there is this program, by the shape of its `/health` answer. */
export async function isProxy(url: string): Promise<boolean> {
  const health = await healthOf({ url }, PROBE_LIMIT_MS)
  return health?.status !== undefined && health.mode !== undefined
}

/** The process that answers there, which it tells only those who have the client key. */
export async function processAt(server: AskedServer): Promise<number | undefined> {
  return (await healthOf(server))?.pid
}

export function readHealth(json: JsonObject): Health {
  const { primary, secondary } = objectOf(json.rateLimits)
  return {
    status: STATUSES.find((each) => each === json.status),
    mode: MODES.find((each) => each === json.mode),
    pid: readProcess(json.pid),
    version: textOf(json.version),
    upstream: textOf(json.upstream),
    login: readLogin(json.credentials),
    outboundProxy: readOutboundProxy(json.outboundProxy),
    limits: [primary, secondary].flatMap((window) => readLimit(window) ?? []),
    json,
  }
}

/** Users are told to end it: -1 stands for all processes of the user, and another user's program may have taken the port. */
function readProcess(value: unknown): number | undefined {
  const pid = asIndex(value)
  return pid === 0 ? undefined : pid
}

function readLogin(value: unknown): LoginHealth | undefined {
  const login = asObject(value)
  if (login === undefined) return undefined
  const problem = objectOf(login.problem)
  return {
    file: textOf(login.file),
    plan: textOf(login.plan),
    expiresAt: timeOf(login.expiresAt),
    lastRefresh: timeOf(login.lastRefresh),
    problem: readNotice(problem.message, problem.remedy),
    warning: readNotice(login.warning, login.remedy),
  }
}

function readNotice(message: unknown, remedy: unknown): Notice | undefined {
  return typeof message === 'string' ? { message, remedy: textOf(remedy) } : undefined
}

function readOutboundProxy(value: unknown): OutboundProxyHealth | undefined {
  const { proxy, origin, inUse, note } = objectOf(value)
  if (typeof proxy !== 'string') return undefined
  return { proxy, origin: asString(origin), inUse: inUse === true, note: textOf(note) }
}

function readLimit(value: unknown): LimitHealth | undefined {
  const { usedPercent, windowMinutes, resetsAt } = objectOf(value)
  if (typeof usedPercent !== 'number') return undefined
  const resetSeconds = asNumber(resetsAt)
  return {
    usedPercent,
    windowMinutes: asNumber(windowMinutes),
    resetsAt: resetSeconds === undefined ? undefined : resetSeconds * 1000,
  }
}
