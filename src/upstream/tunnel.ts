import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { reasonOf } from './failure-reason.ts'
import { openHttpTunnel } from './http-tunnel.ts'
import type { Endpoint, OutboundAddress } from './outbound-address.ts'
import { openSocksTunnel } from './socks-tunnel.ts'
import type { TunnelOptions } from './tunnel-options.ts'

/** The outbound proxy itself failed, or couldn't connect. The message names it and the reason. */
export class OutboundProxyError extends Error {
  override readonly name = 'OutboundProxyError'
}

/**
 * A connector for undici whose connections lead through the proxy. undici's own ProxyAgent is not used: its SOCKS part
 * drops the limits of the Agent (long reasoning would end after 300 s), and neither part can keep a connection ready.
 */
export function tunnelConnector(
  proxy: OutboundAddress,
  secure: buildConnector.connector,
  options: TunnelOptions,
): buildConnector.connector {
  return (target, callback) => {
    openTunnel(proxy, endpointOf(target), options).then(
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
