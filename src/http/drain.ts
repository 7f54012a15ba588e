import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { type Cancellation, ProxyStopped } from '../cancellation.ts'

/** How often connections that became idle are closed: `close` alone waits for keep-alive. */
const SWEEP_MS = 50
/** How long a client may take for the error that ends its answer. */
const LAST_WORDS_MS = 1000

type Log = { warn(fields: object, message: string): void }

export type Drain = {
  /** No new connections; running answers finish, and after `deadline` milliseconds they are ended. */
  gently(deadline: number, logger: Log): Promise<void>
  /** Ends running answers with an error, and shortly after that their connections. */
  endAnswers(): void
}

/**
 * Prepares to close the server, whose requests end with `running`. Connections that never carried a request are followed
 * from the start, since Node does not count them as idle (clients such as fetch open some ahead).
 */
export function followConnections(server: Server, running: Cancellation): Drain {
  const unused = new Set<Socket>()
  // Over TLS requests come on a socket of its own, not on the one of `connection`.
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('request', ({ socket }: IncomingMessage) => {
    unused.delete(socket)
  })

  function endAnswers(): void {
    running.cancel(new ProxyStopped())
    // Without them nothing holds the process any more.
    setTimeout(() => server.closeAllConnections(), LAST_WORDS_MS).unref()
  }

  async function gently(deadline: number, logger: Log): Promise<void> {
    const sweep = setInterval(() => {
      server.closeIdleConnections()
      for (const socket of unused) socket.destroy()
    }, SWEEP_MS)
    const late = setTimeout(() => {
      logger.warn({ deadlineMs: deadline }, 'answers still running are ended')
      endAnswers()
    }, deadline)
    const closed = once(server, 'close')
    server.close()
    await closed
    clearInterval(sweep)
    clearTimeout(late)
  }

  return { gently, endAnswers }
}
