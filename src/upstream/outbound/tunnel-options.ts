import type { SecureContext } from 'node:tls'
import type { PendingSockets } from './pending-sockets.ts'

export type TunnelOptions = {
  /** Milliseconds until the proxy has connected us. */
  readonly timeout: number
  /** The certificates to trust if the proxy itself is reached over TLS. */
  readonly secureContext: () => SecureContext
  /** Lists a connection until it is established. */
  readonly pending: PendingSockets
  /** Milliseconds. */
  readonly now: () => number
}

/** After this much silence the system probes a connection, so that a dropped one is noticed. */
export const TCP_KEEP_ALIVE_MS = 30_000
