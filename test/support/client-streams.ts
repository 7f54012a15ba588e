import type { ClientStream } from '../../src/routes/streaming/client-stream.ts'

export const STREAM_SETTINGS = { keepAlive: 15_000, slowClientTimeout: 300_000 }

export function write(stream: ClientStream, text: string): void {
  stream.out.text(text)
  stream.flush()
}

export function end(stream: ClientStream, text: string): void {
  stream.out.text(text)
  stream.end()
}
