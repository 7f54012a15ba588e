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

/** What a client is told when a body failed with `cause`; `message` for a `cause` that says nothing more. */
export function cutError(cause: Error, message: string): ProxyError {
  if (cause instanceof ProxyStopped) return cause
  if (cause instanceof UpstreamSilent) return new ProxyError('upstream_timeout', cause.message, { cause })
  return new ProxyError('upstream_stream_cut', message, { cause })
}

/** Whether an answer is a page by its type, which has no case (RFC 9110 §8.3.1). */
export function isHtml({ 'content-type': type }: { readonly 'content-type'?: string | string[] | undefined }): boolean {
  return /^text\/html/i.test(String(type))
}

/**
 * The body of an answer while it arrives. Before `pipe` no more is read ahead than a few socket reads bring.
 * `abort` closes the upstream request at once; nothing reaches the sink afterwards.
 */
export type AnswerBody = {
  /** All of it has come, or it broke off. The sink may still have to be given the last bytes. */
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
