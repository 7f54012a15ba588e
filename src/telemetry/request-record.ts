/** Tokens of one answer, as upstream counted them. */
type TokenUsage = {
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly reasoning: number
}

/**
 * What is known about one API request; filled in on its way, then written as its one log line and counted at its end.
 */
export type RequestRecord = {
  readonly id: string
  readonly method: string
  /** The route's pattern, not the URL: it may hold ids. */
  readonly route: string
  /** `performance.now()` at arrival. */
  readonly startedAt: number
  model: string | undefined
  /** The model that upstream says has answered. */
  servedModel: string | undefined
  /** Undefined: not known. */
  stream: boolean | undefined
  /** The status the client got; after a 200 the status it would have had. */
  status: number
  /** The error code, when it failed. */
  code: string | undefined
  /** The refused host or origin: few users know those of their programs. */
  refusal: string | undefined
  /** The client left before the end. */
  aborted: boolean
  /** `performance.now()` when the first event a client can see was written. */
  firstEventAt: number | undefined
  /**
   * Undefined until upstream reports it, which it never does if a disconnecting client or a stop text ends the answer
   * first.
   */
  usage: TokenUsage | undefined
  ignored: readonly string[]
  upstreamRequestId: string | undefined
  upstreamRetries: number
}

/** Has all fields from the start: if they were added one by one, records would have different shapes for V8. */
export function newRequestRecord(id: string, method: string, route: string, startedAt: number): RequestRecord {
  return {
    id,
    method,
    route,
    startedAt,
    model: undefined,
    servedModel: undefined,
    stream: undefined,
    status: 0,
    code: undefined,
    refusal: undefined,
    aborted: false,
    firstEventAt: undefined,
    usage: undefined,
    ignored: [],
    upstreamRequestId: undefined,
    upstreamRetries: 0,
  }
}
