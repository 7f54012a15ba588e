import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'

export type Observer = {
  started(record: RequestRecord): void
  /** Once per API request, when its connection is done with it: counts it and writes its one line. */
  finished(record: RequestRecord): void
}

export function createObserver(metrics: Metrics, logger: Logger, now: () => number): Observer {
  // One line a request: its fields are named below, so there is nothing to redact, which costs more than the line.
  const latency = logger.child({ name: 'codex_api_proxy.latency' }, { redact: [] })
  return {
    started: () => metrics.requestStarted(),
    finished(record) {
      metrics.requestFinished(record)
      latency.info(logFields(record, now()), 'request finished')
    },
  }
}

function logFields(record: RequestRecord, now: number): Record<string, unknown> {
  return {
    requestId: record.id,
    route: `${record.method} ${record.route}`,
    ...(record.model !== undefined && { model: record.model }),
    stream: record.stream,
    // As nginx logs it: no status was seen by a client that left.
    status: record.aborted ? 499 : record.status,
    ...(record.code !== undefined && { code: record.code }),
    ...(record.firstEventAt !== undefined && { firstEventMs: milliseconds(record.firstEventAt - record.startedAt) }),
    totalMs: milliseconds(now - record.startedAt),
    ...(record.usage !== undefined && { usage: record.usage }),
    ...(record.ignored !== undefined && record.ignored.length > 0 && { ignored: record.ignored }),
    ...(record.upstreamRetries > 0 && { upstreamRetries: record.upstreamRetries }),
    ...(record.upstreamRequestId !== undefined && { upstreamRequestId: record.upstreamRequestId }),
  }
}

function milliseconds(value: number): number {
  return Math.round(value * 10) / 10
}
