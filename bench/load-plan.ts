import type { Order } from './order.ts'
import type { Kind } from './requests.ts'

/** What the load client shall do; it gets it as JSON. */
export type LoadPlan = {
  readonly port: number
  readonly kind: Kind
  readonly path: string
  readonly order: Order
  /** Streams at the same time, each on a connection of its own, one request after the other. */
  readonly streams: number
  /** How long answers are counted, after `warmSeconds` that aren't. */
  readonly seconds: number
  readonly warmSeconds: number
  /** Ends after so many answers, if that is sooner; 0 for no such end. */
  readonly answers: number
  /** The first answers that aren't counted. */
  readonly warmAnswers: number
  readonly imageBytes: number
  /** Milliseconds over which the streams begin, so that a thousand don't begin at once. */
  readonly rampMs: number
}

export type Quantiles = { readonly count: number; readonly p50: number; readonly p90: number; readonly p99: number }

export type LoadResult = {
  /** All answers and their deltas, warm-up included: what the CPU time was spent on. */
  readonly answers: number
  readonly deltas: number
  readonly deltasPerSecond: number
  /** From the request to the first delta. */
  readonly firstDeltaMicros: Quantiles | undefined
  /** From the request to the end of the answer. */
  readonly wholeMicros: Quantiles | undefined
  /** From upstream's write to the client's read, with `says: 'time'`. */
  readonly delayMicros: Quantiles | undefined
  /** Answers that weren't exactly right. */
  readonly wrong: number
  readonly firstProblem: string | undefined
}

export const NO_LOAD: Omit<LoadPlan, 'port' | 'kind' | 'path' | 'order'> = {
  streams: 1,
  seconds: 60,
  warmSeconds: 0,
  answers: 0,
  warmAnswers: 0,
  imageBytes: 0,
  rampMs: 0,
}
