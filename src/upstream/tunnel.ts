import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { LoginRefused, reasonOf } from './failure-reason.ts'
import { openHttpTunnel } from './http-tunnel.ts'
import type { Endpoint, OutboundAddress } from './outbound-address.ts'
import { openSocksTunnel } from './socks-tunnel.ts'
import type { TunnelOptions } from './tunnel-options.ts'

/** The outbound proxy itself failed, or couldn't connect. The message names it and the reason. */
export class OutboundProxyError extends Error {
  override readonly name = 'OutboundProxyError'
}

/**
 * Companies lock an account after a few wrong passwords; a start and one request with its retries would send ten within
 * seconds.
 */
const REFUSED_FOR_MS = 60_000

/**
 * A connector for undici whose connections lead through the proxy. undici's own ProxyAgent is not used: its SOCKS part
 * drops the limits of the Agent (long reasoning would end after 300 s), and neither part can keep a connection ready.
 */
export function tunnelConnector(
  proxy: OutboundAddress,
  secure: buildConnector.connector,
  options: TunnelOptions,
): buildConnector.connector {
  const { now } = options
  let refusal: { readonly error: OutboundProxyError; readonly at: number } | undefined

  async function openUnlessRefused(target: Endpoint): Promise<Socket> {
    if (refusal !== undefined && now() - refusal.at < REFUSED_FOR_MS) throw refusal.error
    try {
      return await openTunnel(proxy, target, options)
    } catch (error) {
      const isLogin = error instanceof OutboundProxyError && error.cause instanceof LoginRefused
      if (isLogin) refusal = { error, at: now() }
      throw error
    }
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
  try {
    const open = proxy.protocol === 'socks5' ? openSocksTunnel : openHttpTunnel
    const socket = await open(proxy, target, options)
    // Its user listens to errors as well, but only from the next step on.
    socket.on('error', () => {})
    return socket
  } catch (error) {
    throw new OutboundProxyError(`The outbound proxy ${proxy.shown} ${reasonOf(error)}.`, { cause: error })
  }
}

function endpointOf({ hostname, port, protocol }: buildConnector.Options): Endpoint {
  if (port !== '') return { host: hostname, port: Number(port) }
  return { host: hostname, port: protocol === 'https:' ? 443 : 80 }
}
