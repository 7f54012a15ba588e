/**
 * The text as UTF-8 in memory of its own, for what is held as long as a stream lasts: Node puts small buffers into a pool
 * of 8 KB, all of which lives as long as any of them (https://nodejs.org/api/buffer.html#static-method-bufferallocunsafesize).
 */
export function ownMemory(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}
