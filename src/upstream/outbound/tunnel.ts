import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { type Endpoint, portOf } from '../../config/endpoint.ts'
import { elapsed } from '../../system/elapsed.ts'
import { LoginRefused, reasonOf } from './failure-reason.ts'
import { openHttpTunnel } from './http-tunnel.ts'
import type { OutboundAddress } from './outbound-address.ts'
import { openSocksTunnel } from './socks-tunnel.ts'
import type { TunnelOptions } from './tunnel-options.ts'

/** The outbound proxy itself failed, or couldn't connect. The message names it and the reason. */
export class OutboundProxyError extends Error {
  override readonly name = 'OutboundProxyError'
}

/**
 * How long the proxy is not contacted after it has refused the login: companies lock an account after a few wrong
 * passwords, and a start and one request with its retries would send ten within seconds.
 */
const REFUSED_FOR_MS = 60_000

/**
 * A connector for undici that connects through the proxy. undici's own ProxyAgent is not used: its SOCKS part drops the
 * limits of the Agent (long reasoning would end after 300 s), and neither part can keep a connection ready.
 */
export function tunnelConnector(
  proxy: OutboundAddress,
  secure: buildConnector.connector,
  options: TunnelOptions,
): buildConnector.connector {
  const { now } = options
  let refusal: { readonly reason: string; readonly at: number } | undefined
  let isAccepted = proxy.login === undefined
  /** The first tunnel with a login that may be wrong. Whoever comes meanwhile waits for it, and shares its failure. */
  let trial: Promise<Socket> | undefined

  async function openUnlessRefused(target: Endpoint): Promise<Socket> {
    if (trial !== undefined) await trial
    const left = refusal === undefined ? 0 : REFUSED_FOR_MS - elapsed(refusal.at, now())
    if (refusal !== undefined && left > 0) {
      throw failureOf(proxy, `${refusal.reason}; it is asked again in ${Math.ceil(left / 1000)} s`)
    }
    const opening = open(target)
    if (!isAccepted) {
      trial = opening
      opening.then(endTrial, endTrial)
    }
    return await opening
  }

  async function open(target: Endpoint): Promise<Socket> {
    try {
      const socket = await openTunnel(proxy, target, options)
      isAccepted = true
      return socket
    } catch (error) {
      if (error instanceof LoginRefused) {
        refusal = { reason: error.message, at: now() }
        isAccepted = false
      }
      throw failureOf(proxy, reasonOf(error), error)
    }
  }

  function endTrial(): void {
    trial = undefined
  }

  return (target, callback) => {
    openUnlessRefused(endpointOf(target)).then(
      (socket) => {
        if (target.protocol === 'https:') secure({ ...target, httpSocket: socket }, callback)
        else callback(null, socket)
      },
      (error: Error) => callback(error, null),
    )
  }
}

async function openTunnel(proxy: OutboundAddress, target: Endpoint, options: TunnelOptions): Promise<Socket> {
  const open = proxy.protocol === 'socks5' ? openSocksTunnel : openHttpTunnel
  const socket = await open(proxy, target, options)
  // The next owner of the socket listens to its errors too, but only from the next step on.
  socket.on('error', () => {})
  return socket
}

function failureOf({ shown }: OutboundAddress, reason: string, cause?: unknown): OutboundProxyError {
  return new OutboundProxyError(`The outbound proxy ${shown} ${reason}.`, { cause })
}

function endpointOf(target: buildConnector.Options): Endpoint {
  return { host: target.hostname, port: portOf(target) }
}
