import type { MessagePort } from 'node:worker_threads'

/**
 * The text as UTF-8 in memory of its own, for what is held as long as a stream lasts: Node puts small buffers into a pool
 * of 8 KB, all of which lives as long as any of them (https://nodejs.org/api/buffer.html#static-method-bufferallocunsafesize).
 */
export function ownMemory(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}

/** Less than this is not worth a call that takes one to four microseconds. */
const WORTH_FREEING = 16 * 1024

/** Nobody is at its other end: what it is handed is gone. */
let nowhere: MessagePort | undefined

/**
 * Frees memory now that neither JavaScript nor a write that is under way looks at any more: all views of it are empty
 * afterwards. The collector hardly notices what lies outside of its heap, 32 MB of which large bodies leave before it
 * looks (docs/performance.md). A part of some memory is left alone: the rest of it may be in use.
 */
export function freeMemory(bytes: Buffer): void {
  const { buffer } = bytes
  if (bytes.length < WORTH_FREEING || bytes.length !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return
  nowhere ??= closedPort()
  // Handing over takes it away here, also when it arrives nowhere
  // (https://html.spec.whatwg.org/multipage/web-messaging.html#message-port-post-message-steps).
  nowhere.postMessage(undefined, [buffer])
}

function closedPort(): MessagePort {
  const { port1 } = new MessageChannel()
  port1.close()
  return port1
}
