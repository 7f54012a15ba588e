import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'

/** How often connections that became idle are closed: `close` alone waits for keep-alive. */
const SWEEP_MS = 50

export type Drain = (deadline: number, logger: { warn(fields: object, message: string): void }) => Promise<void>

/**
 * Prepares to close the server gently: no new connections, running answers finish, and after `deadline` milliseconds
 * everything is cut. Connections that never carried a request are followed from the start, since Node does not count
 * them as idle (clients such as fetch open some ahead).
 */
export function followConnections(server: Server): Drain {
  const unused = new Set<Socket>()
  // Over TLS requests come on a socket of its own, not on the one of `connection`.
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('request', ({ socket }: IncomingMessage) => {
    unused.delete(socket)
  })

  return async (deadline, logger) => {
    const sweep = setInterval(() => {
      server.closeIdleConnections()
      for (const socket of unused) socket.destroy()
    }, SWEEP_MS)
    const cut = setTimeout(() => {
      logger.warn({ deadlineMs: deadline }, 'answers still running were cut')
      server.closeAllConnections()
    }, deadline)
    const closed = once(server, 'close')
    server.close()
    await closed
    clearInterval(sweep)
    clearTimeout(cut)
  }
}
