import type { SecureContext } from 'node:tls'
import type * as Undici from 'undici'
import type { PendingSockets } from './pending-sockets.ts'
import { TCP_KEEP_ALIVE_MS } from './tunnel-options.ts'
import { Agent, buildConnector } from './undici-parts.ts'
import { WarmConnections } from './warm-connections.ts'

/** How long an idle connection is kept unless upstream specifies a time, and the longest time it may specify. */
const KEEP_ALIVE_MS = 60_000
const LONGEST_KEEP_ALIVE_MS = 600_000
/** As much as clients may send by default. Cookies and content policies of a gateway exceed Node's 16 KB. */
const MAX_ANSWER_HEADERS = 64 * 1024

/** One route to upstreams, direct or through a proxy: its agent, and the connections opened in advance for it. */
export class OutboundAgent {
  readonly #warm: WarmConnections
  readonly #headerTimeout: number
  #agent: Undici.Agent
  /** Agents that finish their requests and accept no new ones. */
  readonly #retiring = new Set<Promise<void>>()

  /** `headerTimeout` in milliseconds. */
  constructor(connector: Undici.buildConnector.connector, headerTimeout: number, now: () => number) {
    this.#warm = new WarmConnections(connector, now)
    this.#headerTimeout = headerTimeout
    this.#agent = this.#newAgent()
  }

  get agent(): Undici.Agent {
    return this.#agent
  }

  keepWarm(origin: URL): void {
    this.#warm.keepWarm(origin)
  }

  /** Connections that are idle now will not be reused. */
  renew(): void {
    this.#warm.dropSpares()
    const retired = this.#agent.close().finally(() => this.#retiring.delete(retired))
    this.#retiring.add(retired)
    this.#agent = this.#newAgent()
  }

  /** Resolves when running requests have finished: a refresh in progress has spent its token. */
  async close(): Promise<void> {
    this.#warm.close()
    await Promise.all([this.#agent.close(), ...this.#retiring])
  }

  #newAgent(): Undici.Agent {
    return new Agent({
      connect: this.#warm.connect,
      pipelining: 1,
      headersTimeout: this.#headerTimeout,
      // Each exchange has its own (transport.ts).
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: LONGEST_KEEP_ALIVE_MS,
      maxHeaderSize: MAX_ANSWER_HEADERS,
    })
  }
}

/**
 * undici's own connector, with one set of trusted certificates for all connections: reading the roots anew each time
 * is slow. Connections that are not established yet are in `pending`.
 */
export function directConnector(
  timeout: number,
  secureContext: () => SecureContext,
  pending: PendingSockets,
): Undici.buildConnector.connector {
  const options = { timeout, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS }
  const plain = buildConnector(options)
  let secure: Undici.buildConnector.connector | undefined
  return (target, callback) => {
    if (target.protocol !== 'https:') {
      pending.follow(plain(target, callback))
      return
    }
    secure ??= buildConnector({ ...options, secureContext: secureContext() })
    pending.follow(secure(target, callback))
  }
}
