import type { SecureContext } from 'node:tls'

export type TunnelOptions = {
  /** Milliseconds until the proxy has connected us. */
  readonly timeout: number
  /** Whom to trust when the proxy itself is reached by TLS. */
  readonly secureContext: () => SecureContext
  /** Ends what is not connected yet. */
  readonly signal: AbortSignal
}

/** After so much silence the system probes a connection, so that one dropped on the way is noticed. */
export const TCP_KEEP_ALIVE_MS = 60_000
