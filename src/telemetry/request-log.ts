import type { DestinationStream } from 'pino'
import type { Logger } from './logger.ts'
import type { RequestRecord } from './request-record.ts'

/** Writes the one line of a finished API request; `now` as in `startedAt`. */
export type RequestLog = (record: RequestRecord, now: number) => void

/**
 * Lines as the logger writes them, but as one piece of JSON: field by field, they take three times as long, for every
 * request. Their fields are all listed here, so there is nothing to redact.
 */
export function createRequestLog(logger: Logger, destination: DestinationStream): RequestLog {
  if (!logger.isLevelEnabled('info')) return () => {}
  const time = isoClock()
  return (record, now) => destination.write(`${JSON.stringify(line(record, now, time()))}\n`)
}

/** In characters; real names of models are shorter. */
const LONGEST_MODEL = 200

/** JSON leaves out what is undefined. */
function line(record: RequestRecord, now: number, time: string): object {
  const { firstEventAt, ignored, upstreamRetries } = record
  return {
    level: 'info',
    time,
    name: 'codex_api_proxy.latency',
    requestId: record.id,
    route: `${record.method} ${record.route}`,
    // The client chose it, and a line must not become as long as a body.
    model: record.model?.slice(0, LONGEST_MODEL),
    servedModel: otherModel(record),
    stream: record.stream,
    // As in nginx: a client that disconnected saw no status.
    status: record.aborted ? 499 : record.status,
    code: record.code,
    refusal: record.refusal,
    firstEventMs: firstEventAt === undefined ? undefined : milliseconds(firstEventAt - record.startedAt),
    totalMs: milliseconds(now - record.startedAt),
    usage: record.usage,
    ignored: ignored.length === 0 ? undefined : ignored,
    upstreamRetries: upstreamRetries === 0 ? undefined : upstreamRetries,
    upstreamRequestId: record.upstreamRequestId,
    msg: 'request finished',
  }
}

/** Snapshots have the date after the model's name. */
const DATE = /-\d{4}-\d\d-\d\d$/
/** What a client may append to a model's name: an effort, a date. */
const SUFFIX = /^$|^[-_:(]/

/**
 * Upstream has silently answered with another model than requested (docs/upstream.md 4.7). The client's name may also
 * have a provider in front of the model.
 */
function otherModel({ model, servedModel }: RequestRecord): string | undefined {
  if (model === undefined || servedModel === undefined) return undefined
  const asked = model.slice(model.lastIndexOf('/') + 1)
  const answered = servedModel.replace(DATE, '')
  const isSame = asked.startsWith(answered) && SUFFIX.test(asked.slice(answered.length))
  return isSame ? undefined : servedModel.slice(0, LONGEST_MODEL)
}

function milliseconds(value: number): number {
  return Math.round(value * 10) / 10
}

/** The time as Date formats it. Each second is formatted only once, since that costs as much as a short line. */
export function isoClock(now = () => Date.now()): () => string {
  let second = Number.NaN
  let before = ''
  return () => {
    const time = now()
    const millisecond = time % 1000
    if (time - millisecond !== second) {
      second = time - millisecond
      before = new Date(second).toISOString().slice(0, -'000Z'.length)
    }
    return `${before}${String(millisecond).padStart(3, '0')}Z`
  }
}
