import type { AddressInfo } from 'node:net'

// The ends of the thread between a process of the bench and the one that started it (processes.ts).

/** Tells the starter where this process listens. */
export function announce(address: string | AddressInfo | null): void {
  if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port.')
  process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`)
}

/** The starter holds our stdin open; when it is gone, however it went, so are we. */
export function exitWithParent(): void {
  process.stdin.on('end', () => process.exit())
  process.stdin.resume()
  // A pipe of a shell that gave us no stdin must not keep a finished process alive.
  if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref()
}

/** What the starter wants done, as JSON in the last argument. */
export function planFromArguments(): unknown {
  return JSON.parse(process.argv.at(-1) ?? 'null')
}
