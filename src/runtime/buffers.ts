import type { MessagePort } from 'node:worker_threads'

/**
 * The text as UTF-8 in memory of its own, for what is held as long as a stream lasts. Node puts small buffers into
 * shared pools of 8 KB, each of which lives as long as any buffer in it
 * (https://nodejs.org/api/buffer.html#static-method-bufferallocunsafesize).
 */
export function unpooledBuffer(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}

/** The pieces joined, in memory of their own: the buffers they are parts of need not be kept for them. */
export function unpooledCopy(pieces: readonly Buffer[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(totalLength(pieces))
  let at = 0
  for (const piece of pieces) at += piece.copy(bytes, at)
  return bytes
}

/** The total length of the pieces in bytes. */
export function totalLength(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0)
}

/** Freeing less than this is not worth the call, which takes one to four microseconds. */
const WORTH_FREEING = 16 * 1024

/** A port without another end: what is sent to it is gone. */
let nowhere: MessagePort | undefined

/**
 * Frees memory at once that nothing reads any more, neither JavaScript nor a write under way: all views of it are empty
 * afterwards. The garbage collector hardly notices memory outside its heap: large bodies would leave 32 MB there before
 * it runs (docs/performance.md). A buffer that is only a part of its memory is left alone, since the rest may be in
 * use.
 */
export function freeMemory(bytes: Buffer): void {
  const { buffer } = bytes
  if (bytes.length < WORTH_FREEING || bytes.length !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return
  nowhere ??= closedPort()
  // Transferring it detaches it here, even if it arrives nowhere
  // (https://html.spec.whatwg.org/multipage/web-messaging.html#message-port-post-message-steps).
  nowhere.postMessage(undefined, [buffer])
}

function closedPort(): MessagePort {
  const { port1 } = new MessageChannel()
  port1.close()
  return port1
}
