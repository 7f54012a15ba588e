import type { RequestRecord } from './request-record.ts'

/**
 * Counters of API requests, as `/metrics` shows them. They count requests to API paths, refused ones included, but not
 * probes; `requests_total = requests_ok + requests_error + requests_aborted + requests_in_flight`. A failure after the
 * 200 counts under the status it would have had.
 */
export class Metrics {
  readonly #now: () => number
  readonly #startedAt: number
  #total = 0
  #ok = 0
  #error = 0
  #aborted = 0
  #retries = 0
  #reasoningHits = 0
  #reasoningMisses = 0
  readonly #errorsByStatus = new Map<number, number>()

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number) {
    this.#now = now
    this.#startedAt = now()
  }

  requestStarted(): void {
    this.#total++
  }

  requestFinished(record: RequestRecord): void {
    this.#retries += record.upstreamRetries
    if (record.aborted) this.#aborted++
    else if (record.status < 400) this.#ok++
    else {
      this.#error++
      this.#errorsByStatus.set(record.status, (this.#errorsByStatus.get(record.status) ?? 0) + 1)
    }
  }

  /** A replayed tool call for which reasoning was, or was not, remembered. */
  reasoningRecalled(found: boolean): void {
    if (found) this.#reasoningHits++
    else this.#reasoningMisses++
  }

  snapshot(): Record<string, unknown> {
    return {
      requests_total: this.#total,
      requests_ok: this.#ok,
      requests_error: this.#error,
      requests_aborted: this.#aborted,
      requests_in_flight: this.#total - this.#ok - this.#error - this.#aborted,
      errors_by_status: Object.fromEntries(this.#errorsByStatus),
      upstream_retries: this.#retries,
      reasoning_recall_hits: this.#reasoningHits,
      reasoning_recall_misses: this.#reasoningMisses,
      uptime_seconds: Math.round((this.#now() - this.#startedAt) / 1000),
    }
  }
}
