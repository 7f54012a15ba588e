import { getDefaultAutoSelectFamilyAttemptTimeout, setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net'
import type { Dispatcher } from 'undici'
import { isLoopbackHost } from '../../config/endpoint.ts'
import type { Config } from '../../config/options.ts'
import type { ProxyError } from '../../errors.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { explainFailure } from './explain-failure.ts'
import { failureCode } from './failure-reason.ts'
import { NetworkWatch } from './network-watch.ts'
import { parseNoProxy } from './no-proxy.ts'
import { isListening, type OutboundAddress, parseOutboundAddress } from './outbound-address.ts'
import { directConnector, OutboundAgent } from './outbound-agent.ts'
import { PendingSockets } from './pending-sockets.ts'
import { createTrust } from './trusted-certificates.ts'
import { tunnelConnector } from './tunnel.ts'

export type OutboundSettings = Pick<Config, 'proxy' | 'noProxy' | 'connectTimeout' | 'headerTimeout'>

type OutboundDescription = {
  /** Without its user and password. */
  readonly proxy: string
  readonly origin: 'explicit' | 'implicit' | 'none'
  /** Whether requests to the upstream that was asked about go through it now. */
  readonly inUse: boolean
  readonly note?: string
}

export type OutboundRoute = {
  /** The dispatcher for requests to this origin now. Loopback upstreams and NO_PROXY hosts are always direct. */
  dispatcherFor(origin: URL): Dispatcher
  /** Requests to this origin are likely in the next minutes: one connection to it is opened in advance. */
  keepWarm(origin: URL): void
  /**
   * After a failure to connect: checks again whether the implicit default listens. True if the next try will use
   * another route.
   */
  connectionFailed(error: Error): Promise<boolean>
  /** How requests to this upstream are routed now. */
  describe(upstream: URL): OutboundDescription
  /** Names the failure of a request: who failed (outbound proxy or upstream), and why. */
  explain(error: Error, origin: URL): ProxyError
  close(): Promise<void>
}

/** The default of the original version of this program; used only while something listens there. */
const IMPLICIT_PROXY = 'http://127.0.0.1:8118'

/**
 * Of a name's several addresses, Node gives up on each but the last after 250 ms: on a distant or slow network on all
 * of them, if a handshake takes that long (https://github.com/nodejs/node/issues/54359).
 */
const ADDRESS_PATIENCE_MS = 2_000

type Surroundings = {
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly watch?: Pick<NetworkWatch, 'hasChanged'>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly implicitProxy?: string
}

export async function openOutboundRoute(
  settings: OutboundSettings,
  log: Pick<Logger, 'info' | 'warn'>,
  {
    env = process.env,
    implicitProxy = IMPLICIT_PROXY,
    now = Date.now,
    watch = new NetworkWatch({ now }),
  }: Surroundings = {},
): Promise<OutboundRoute> {
  // Applies to the whole process: proxies and the steps of `doctor` are reached over the same networks.
  setDefaultAutoSelectFamilyAttemptTimeout(Math.max(getDefaultAutoSelectFamilyAttemptTimeout(), ADDRESS_PATIENCE_MS))
  const { proxy: given } = settings
  const origin = given === undefined ? 'implicit' : given === 'none' ? 'none' : 'explicit'
  const address = origin === 'none' ? undefined : parseOutboundAddress(given ?? implicitProxy)
  const inUse = address !== undefined && (origin === 'explicit' || (await isListening(address)))
  const route = new Route(settings, log, { origin, address, inUse, env, now, watch })
  route.announce()
  return route
}

type Choice = Required<Omit<Surroundings, 'implicitProxy'>> & {
  readonly origin: OutboundDescription['origin']
  readonly address: OutboundAddress | undefined
  readonly inUse: boolean
}

class Route implements OutboundRoute {
  readonly #settings: OutboundSettings
  readonly #log: Pick<Logger, 'info' | 'warn'>
  readonly #isExempt: (url: URL) => boolean
  readonly #choice: Choice
  readonly #direct: OutboundAgent
  readonly #tunnelled: OutboundAgent | undefined
  readonly #pending = new PendingSockets()
  #inUse: boolean
  #checking: Promise<boolean> | undefined

  constructor(settings: OutboundSettings, log: Pick<Logger, 'info' | 'warn'>, choice: Choice) {
    this.#settings = settings
    this.#log = log
    this.#isExempt = parseNoProxy(settings.noProxy ?? '')
    this.#choice = choice
    this.#inUse = choice.inUse
    const pending = this.#pending
    const secureContext = createTrust(choice.env, (fields, message) => log.warn(fields, message))
    const { connectTimeout: timeout, headerTimeout } = settings
    const direct = directConnector(timeout, secureContext, pending)
    this.#direct = new OutboundAgent(direct, headerTimeout, choice.now)
    if (choice.address === undefined) return
    const tunnelled = tunnelConnector(choice.address, direct, { timeout, secureContext, pending, now: choice.now })
    this.#tunnelled = new OutboundAgent(tunnelled, headerTimeout, choice.now)
  }

  dispatcherFor(origin: URL): Dispatcher {
    if (this.#choice.watch.hasChanged()) this.#renew()
    return this.#agentFor(origin).agent
  }

  keepWarm(origin: URL): void {
    this.#agentFor(origin).keepWarm(origin)
  }

  async connectionFailed(error: Error): Promise<boolean> {
    const { origin, address } = this.#choice
    if (origin !== 'implicit' || address === undefined || isTimeout(error)) return false
    const before = this.#inUse
    // When the proxy goes down, many requests fail at once; one check is enough for all of them.
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

  describe(upstream: URL): OutboundDescription {
    const { origin, address } = this.#choice
    const exemption = this.#inUse ? this.#exemptionOf(upstream) : undefined
    const described = { proxy: address?.shown ?? 'none', origin, inUse: this.#inUse && exemption === undefined }
    if (exemption !== undefined) {
      return { ...described, note: `Upstream ${upstream.host} is reached directly: ${exemption}.` }
    }
    if (origin !== 'implicit') return described
    const note = this.#inUse
      ? 'Something listens at the default address.'
      : `Nothing listens at ${described.proxy}, the default address, so connections go direct.`
    return { ...described, note }
  }

  announce(): void {
    const { origin, address } = this.#choice
    const proxy = address?.shown
    const except = this.#settings.noProxy
    if (this.#inUse) this.#log.info({ proxy, origin, except }, 'outbound connections go through a proxy')
    else if (origin === 'implicit') this.#log.info({ proxy }, 'nothing listens at the default proxy: going direct')
  }

  explain(error: Error, origin: URL): ProxyError {
    const through = this.#agentFor(origin) === this.#direct ? undefined : this.#choice.address?.shown
    return explainFailure(error, origin, through, this.#settings.headerTimeout)
  }

  async close(): Promise<void> {
    // First, since closing an agent waits for connections that are being established, up to their timeout.
    this.#pending.destroy()
    await Promise.all([this.#direct.close(), this.#tunnelled?.close()])
  }

  #renew(): void {
    this.#log.info({}, 'the machine slept, or its network has changed: idle connections are not reused')
    this.#direct.renew()
    this.#tunnelled?.renew()
  }

  #agentFor(url: URL): OutboundAgent {
    if (!this.#inUse || this.#exemptionOf(url) !== undefined) return this.#direct
    return this.#tunnelled ?? this.#direct
  }

  /** Why the proxy is bypassed for this URL, if it is. */
  #exemptionOf(url: URL): string | undefined {
    if (isLoopbackHost(url.hostname)) return 'it is on loopback'
    return this.#isExempt(url) ? 'NO_PROXY names it' : undefined
  }
}

/** The connection was established, so another route would not help. undici's other time limit, for the body, is off. */
function isTimeout(error: Error): boolean {
  return failureCode(error) === 'UND_ERR_HEADERS_TIMEOUT'
}
