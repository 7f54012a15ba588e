import type { Metrics } from '../telemetry/metrics.ts'
import type { RequestLog } from '../telemetry/request-log.ts'
import type { RequestRecord } from '../telemetry/request-record.ts'

export type Observer = {
  started(): void
  /** Once per API request, when its connection is done with it: counts it and writes its one line. */
  finished(record: RequestRecord): void
}

export function createObserver(metrics: Metrics, log: RequestLog, now: () => number): Observer {
  return {
    started: () => metrics.requestStarted(),
    finished(record) {
      metrics.requestFinished(record)
      log(record, now())
    },
  }
}
