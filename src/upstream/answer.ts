import type { IncomingHttpHeaders } from 'node:http'

/** What takes the bytes of an answer, in order; exactly one of `end` and `fail` comes last, unless the body was aborted. */
export type BodySink = {
  data(bytes: Buffer): void
  end(): void
  fail(error: Error): void
}

/**
 * The body of an answer while it arrives. Nothing is read ahead beyond one socket read before `pipe`.
 * `abort` closes the upstream request at once; nothing reaches the sink afterwards.
 */
export type AnswerBody = {
  pipe(sink: BodySink): void
  pause(): void
  resume(): void
  abort(): void
}

export type UpstreamAnswer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: AnswerBody
}
