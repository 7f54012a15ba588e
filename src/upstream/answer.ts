import type { IncomingHttpHeaders } from 'node:http'
import { ProxyStopped } from '../cancellation.ts'
import { ProxyError } from '../errors.ts'
import type { SocketRead } from './socket-read.ts'

/** Takes the bytes of an answer, in order. Exactly one of `end` and `fail` comes last, unless the body was aborted. */
export type BodySink = {
  data(read: SocketRead): void
  end(): void
  fail(error: Error): void
}

/** Why a body fails when upstream has sent nothing for too long. */
export class UpstreamSilent extends Error {
  override readonly name = 'UpstreamSilent'
}

/** The error that a client gets if a body failed with `cause`; `message` is for a `cause` that says nothing more. */
export function cutError(cause: Error, message: string): ProxyError {
  if (cause instanceof ProxyStopped) return cause
  if (cause instanceof UpstreamSilent) return new ProxyError('upstream_timeout', cause.message, { cause })
  return new ProxyError('upstream_stream_cut', message, { cause })
}

/**
 * The body of an answer while it arrives. Before `pipe`, only a few socket reads are buffered. `abort` closes the
 * upstream request at once; nothing reaches the sink afterwards.
 */
export type AnswerBody = {
  /** It has arrived completely, or broken off. The sink may still have to get the last bytes. */
  readonly over: boolean
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
