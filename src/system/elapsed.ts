/**
 * How long ago `since` was, both in milliseconds of a clock that may have been set in between; clocks that can't be set
 * don't count the sleep of a machine. If it was set back, `since` lies ahead: a negative time would count as short
 * until the clock gets there, maybe for years, so the distance counts.
 */
export function elapsed(since: number, now: number): number {
  return Math.abs(now - since)
}
