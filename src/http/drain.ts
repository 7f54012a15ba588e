import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { type Cancellation, ProxyStopped } from '../cancellation.ts'

/** How often connections that became idle are closed: `close` alone waits for keep-alive. */
const SWEEP_MS = 50
/** How long a client may take to read the error that ends its answer. */
const ERROR_DELIVERY_MS = 1000

type Log = { warn(fields: object, message: string): void }

export type Drain = {
  /** Accepts no new connections and lets running answers finish; after `deadline` milliseconds they are ended. */
  gently(deadline: number, logger: Log): Promise<void>
  /** Ends running answers with an error, and shortly after that their connections. */
  endAnswers(): void
}

/**
 * Prepares for closing the server; cancelling `running` ends its requests. Connections that have not carried a request
 * yet are tracked from the start, since Node does not count them as idle (clients such as fetch open some in advance).
 */
export function followConnections(server: Server, running: Cancellation): Drain {
  /** Keyed by client address. */
  const unused = new Map<string, Socket>()
  server.on('connection', (socket: Socket) => {
    const client = addressOf(socket)
    unused.set(client, socket)
    socket.once('close', () => {
      // The client may have come again from the same port before this one's end was noticed.
      if (unused.get(client) === socket) unused.delete(client)
    })
  })
  // Over TLS requests arrive on another socket, created after the handshake; the client is the same.
  server.on('request', ({ socket }: IncomingMessage) => {
    if (unused.size > 0) unused.delete(addressOf(socket))
  })

  function endAnswers(): void {
    running.cancel(new ProxyStopped())
    // `unref`: without these connections nothing keeps the process alive anyway.
    setTimeout(() => server.closeAllConnections(), ERROR_DELIVERY_MS).unref()
  }

  async function gently(deadline: number, logger: Log): Promise<void> {
    const sweep = setInterval(() => {
      server.closeIdleConnections()
      for (const socket of unused.values()) socket.destroy()
    }, SWEEP_MS)
    const late = setTimeout(() => {
      logger.warn({ deadlineMs: deadline }, 'ending the answers that are still running')
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

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

type Closable = { close(): unknown }
type Parts = {
  readonly connections: Pick<Drain, 'gently'>
  readonly catalogue: Closable
  readonly credentials: Closable
  readonly outbound: Closable
  readonly logger: Log
}

/**
 * Ends everything that keeps the process alive, each part after those that need it. Running answers may take
 * `drainTimeout` milliseconds.
 */
export async function closeParts(
  { connections, catalogue, credentials, outbound, logger }: Parts,
  drainTimeout: number,
): Promise<void> {
  await connections.gently(drainTimeout, logger)
  catalogue.close()
  // A refresh in flight has spent its token: the new tokens must be saved.
  await credentials.close()
  await outbound.close()
}
