import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

type Bounds = { readonly silenceMs: number; readonly longestMs: number; readonly mostBytes: number }

/** Enough for every body a client may send by default; a client that never stops sending is soon cut off. */
const BOUNDS: Bounds = { silenceMs: 1000, longestMs: 10_000, mostBytes: 256 * 1024 * 1024 }

const closing = new WeakSet<Socket>()

/**
 * Reads and discards what a refused client still sends, then calls `close`: when the body ends, or pauses, lasts or
 * grows beyond the bounds. Closing a socket with unread bytes resets the connection, and a client that reads only after
 * sending would lose the answer (nginx has `lingering_close` for this).
 */
export function discardRest(request: IncomingMessage, close: () => void, bounds = BOUNDS): void {
  closing.add(request.socket)
  if (request.destroyed) {
    close()
    return
  }
  const until = performance.now() + bounds.longestMs
  let bytes = 0
  const silence = setTimeout(finish, bounds.silenceMs)

  function onData({ length }: Buffer): void {
    bytes += length
    if (bytes > bounds.mostBytes || performance.now() > until) finish()
    else silence.refresh()
  }
  function finish(): void {
    clearTimeout(silence)
    request.off('data', onData).off('end', finish).off('close', finish)
    close()
  }
  request.on('data', onData).on('end', finish).on('close', finish)
  // A route may have begun to read the body and paused it.
  request.resume()
}

/**
 * Whether the last answer of this connection has been given: anything that follows is not a request (RFC 9112 §9.6).
 */
export function isClosing(socket: Socket): boolean {
  return closing.has(socket)
}
