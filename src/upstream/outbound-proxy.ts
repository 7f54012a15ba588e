import type { SecureContext } from 'node:tls'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { isLoopbackHost } from '../config/parsers.ts'
import type { ProxyError } from '../errors.ts'
import type { Logger } from '../telemetry/logger.ts'
import { explainFailure } from './explain-failure.ts'
import { codeOf } from './failure-reason.ts'
import { isListening } from './implicit-proxy.ts'
import { parseNoProxy } from './no-proxy.ts'
import { type OutboundAddress, parseOutboundAddress } from './outbound-address.ts'
import { createTrust } from './trusted-certificates.ts'
import { tunnelConnector } from './tunnel.ts'
import { TCP_KEEP_ALIVE_MS } from './tunnel-options.ts'

export type OutboundSettings = {
  /** A URL, `none`, or undefined for the implicit default. */
  readonly proxy: string | undefined
  /** Hosts reached directly, as NO_PROXY names them. */
  readonly noProxy: string | undefined
  /** Milliseconds, as the next two. */
  readonly connectTimeout: number
  readonly headerTimeout: number
  readonly idleTimeout: number
}

export type OutboundDescription = {
  /** Without its user and password. */
  readonly proxy: string
  readonly origin: 'explicit' | 'implicit' | 'none'
  readonly inUse: boolean
  readonly note?: string
}

export type OutboundRoute = {
  /** What carries requests to this origin now. Loopback upstreams and NO_PROXY hosts are always direct. */
  dispatcherFor(origin: URL): Dispatcher
  /**
   * Told of a failure to connect: looks again whether the implicit default listens. True when another try goes
   * another way now.
   */
  connectionFailed(error: Error): Promise<boolean>
  describe(): OutboundDescription
  /** Names the failure of a request: who failed (outbound proxy or upstream), and why. */
  explain(error: Error, origin: URL): ProxyError
  close(): Promise<void>
}

/** What the original names as its default (original-readme: outbound proxy); used only while something listens there. */
const IMPLICIT_PROXY = 'http://127.0.0.1:8118'

/** How long an idle connection is kept when upstream names no time of its own, and the longest it may name. */
const KEEP_ALIVE_MS = 60_000
const LONGEST_KEEP_ALIVE_MS = 600_000

const CLOSE_PATIENCE_MS = 5_000

type Surroundings = {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly implicitProxy?: string
}

export async function openOutboundRoute(
  settings: OutboundSettings,
  log: Pick<Logger, 'info' | 'warn'>,
  { env = process.env, implicitProxy = IMPLICIT_PROXY }: Surroundings = {},
): Promise<OutboundRoute> {
  const { proxy: given } = settings
  const origin = given === undefined ? 'implicit' : given === 'none' ? 'none' : 'explicit'
  const address = origin === 'none' ? undefined : parseOutboundAddress(given ?? implicitProxy)
  const inUse = address !== undefined && (origin === 'explicit' || (await isListening(address)))
  const route = new Route(settings, log, env, { origin, address, inUse })
  route.announce()
  return route
}

type Choice = {
  readonly origin: OutboundDescription['origin']
  readonly address: OutboundAddress | undefined
  readonly inUse: boolean
}

class Route implements OutboundRoute {
  readonly #settings: OutboundSettings
  readonly #log: Pick<Logger, 'info' | 'warn'>
  readonly #isExempt: (url: URL) => boolean
  readonly #choice: Choice
  readonly #direct: Agent
  readonly #tunnelled: Agent | undefined
  #inUse: boolean
  #checking: Promise<boolean> | undefined

  constructor(settings: OutboundSettings, log: Pick<Logger, 'info' | 'warn'>, env: NodeJS.ProcessEnv, choice: Choice) {
    this.#settings = settings
    this.#log = log
    this.#isExempt = parseNoProxy(settings.noProxy ?? '')
    this.#choice = choice
    this.#inUse = choice.inUse
    const secureContext = createTrust(env, (fields, message) => log.warn(fields, message))
    const timeout = settings.connectTimeout
    const connector = directConnector(timeout, secureContext)
    this.#direct = createAgent(settings, connector)
    if (choice.address !== undefined) {
      this.#tunnelled = createAgent(settings, tunnelConnector(choice.address, connector, { timeout, secureContext }))
    }
  }

  dispatcherFor(origin: URL): Dispatcher {
    return this.#goesThrough(origin) ?? this.#direct
  }

  async connectionFailed(error: Error): Promise<boolean> {
    const { origin, address } = this.#choice
    if (origin !== 'implicit' || address === undefined || isTimeout(error)) return false
    const before = this.#inUse
    // Many requests fail at once when the proxy goes; one look is enough for all of them.
    this.#checking ??= isListening(address).finally(() => {
      this.#checking = undefined
    })
    const listening = await this.#checking
    if (listening !== this.#inUse) {
      this.#inUse = listening
      this.announce()
    }
    return before !== this.#inUse
  }

  describe(): OutboundDescription {
    const { origin, address } = this.#choice
    const described = { proxy: address?.shown ?? 'none', origin, inUse: this.#inUse }
    if (origin !== 'implicit') return described
    const note = this.#inUse ? 'Something listens at the default address.' : 'Nothing listens at the default address.'
    return { ...described, note }
  }

  announce(): void {
    const { proxy, origin, inUse } = this.describe()
    if (inUse) this.#log.info({ proxy, origin }, 'outbound connections go through a proxy')
    else if (origin === 'implicit') this.#log.info({ proxy }, 'nothing listens at the default proxy: going direct')
  }

  explain(error: Error, origin: URL): ProxyError {
    const through = this.#goesThrough(origin) === undefined ? undefined : this.#choice.address?.shown
    return explainFailure(error, origin, through, this.#settings)
  }

  async close(): Promise<void> {
    const agents = [this.#direct, this.#tunnelled].filter((agent) => agent !== undefined)
    // A refresh in flight has spent its token: it may finish, unless it takes long.
    const patience = setTimeout(() => {
      for (const agent of agents) agent.destroy().catch(() => {})
    }, CLOSE_PATIENCE_MS)
    await Promise.all(agents.map((agent) => agent.close()))
    clearTimeout(patience)
  }

  #goesThrough(url: URL): Agent | undefined {
    if (!this.#inUse || isLoopbackHost(url.hostname) || this.#isExempt(url)) return undefined
    return this.#tunnelled
  }
}

/** undici's own, with one set of trusted certificates for all connections: reading the roots anew each time is slow. */
function directConnector(timeout: number, secureContext: () => SecureContext): buildConnector.connector {
  let secure: buildConnector.connector | undefined
  const plain = buildConnector({ timeout, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS })
  return (options, callback) => {
    if (options.protocol !== 'https:') {
      plain(options, callback)
      return
    }
    secure ??= buildConnector({ timeout, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS, secureContext: secureContext() })
    secure(options, callback)
  }
}

function createAgent({ headerTimeout, idleTimeout }: OutboundSettings, connect: buildConnector.connector): Agent {
  return new Agent({
    connect,
    pipelining: 1,
    headersTimeout: headerTimeout,
    bodyTimeout: idleTimeout,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: LONGEST_KEEP_ALIVE_MS,
  })
}

/** The connection stood; another way would not help. */
function isTimeout(error: Error): boolean {
  const code = codeOf(error)
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
}
