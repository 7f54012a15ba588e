import type { SecureContext } from 'node:tls'
import type { PendingSockets } from './pending-sockets.ts'

export type TunnelOptions = {
  /** Milliseconds until the proxy has connected us. */
  readonly timeout: number
  /** Whom to trust when the proxy itself is reached by TLS. */
  readonly secureContext: () => SecureContext
  /** Lists a connection until it is made. */
  readonly pending: PendingSockets
  /** Milliseconds. */
  readonly now: () => number
}

/** After so much silence the system probes a connection, so that one dropped on the way is noticed. */
export const TCP_KEEP_ALIVE_MS = 30_000
