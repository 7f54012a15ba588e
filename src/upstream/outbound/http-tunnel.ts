import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { authorityOf, type Endpoint } from '../../config/endpoint.ts'
import { request as httpRequest } from '../../runtime/node-http.ts'
import { userAgent } from '../target.ts'
import { LoginRefused, Refusal } from './failure-reason.ts'
import type { OutboundAddress } from './outbound-address.ts'
import { TCP_KEEP_ALIVE_MS, type TunnelOptions } from './tunnel-options.ts'

/** An HTTP CONNECT tunnel (RFC 9110 §9.3.6); the connection to the proxy itself may use TLS. */
export function openHttpTunnel(proxy: OutboundAddress, target: Endpoint, options: TunnelOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const authority = authorityOf(target)
    const send = proxy.protocol === 'https' ? httpsRequest : httpRequest
    const request = send(requestOptions(proxy, authority, options))
    request.removeHeader('connection')
    const timer = setTimeout(() => {
      request.destroy(new Refusal(`did not connect within ${options.timeout / 1000} s`))
    }, options.timeout)
    request.once('socket', (socket) => options.pending.add(socket))
    request.once('connect', (response: IncomingMessage, socket: Socket, head: Buffer) => {
      clearTimeout(timer)
      options.pending.delete(socket)
      const { statusCode: status = 0 } = response
      if (status < 200 || status > 299) {
        socket.destroy()
        reject(refusalOf(response, authority, proxy))
        return
      }
      socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS)
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    request.end()
  })
}

function requestOptions(proxy: OutboundAddress, authority: string, { secureContext }: TunnelOptions) {
  const options = {
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...preamble(), ...loginHeader(proxy) },
    agent: false,
  }
  if (proxy.protocol === 'http') return options
  // Without a server name Node uses the one in the Host header, which is that of the target.
  return { ...options, secureContext: secureContext(), servername: isIP(proxy.host) === 0 ? proxy.host : '' }
}

/**
 * The same headers as curl and browsers send. Some corporate proxies let only known programs through, or none without a
 * name; and helpers that log in to such a proxy for us (px, cntlm) pass on Node's own `Connection: close`, though NTLM
 * takes several rounds on one connection.
 */
function preamble(): Record<string, string> {
  return { 'user-agent': userAgent(), 'proxy-connection': 'keep-alive' }
}

function loginHeader({ login }: OutboundAddress): Record<string, string> {
  if (login === undefined) return {}
  const token = Buffer.from(`${login.user}:${login.password}`).toString('base64')
  return { 'proxy-authorization': `Basic ${token}` }
}

function refusalOf(
  { statusCode: status, headers }: IncomingMessage,
  authority: string,
  { login }: OutboundAddress,
): Refusal {
  if (status !== 407 && status !== 401) return new Refusal(`answered ${status} when asked to connect to ${authority}`)
  const Kind = login === undefined ? Refusal : LoginRefused
  if (!takesBasic(headers)) return new Kind(`wants another kind of login than Basic (${status})`)
  const reason = login === undefined ? 'wants a user name and password' : 'refused the user name or password'
  return new Kind(`${reason} (${status})`)
}

/**
 * Many corporate proxies accept only NTLM or Kerberos: a password would not help there. Some proxies name no scheme.
 */
function takesBasic({ 'proxy-authenticate': schemes }: IncomingHttpHeaders): boolean {
  return schemes === undefined || /(?:^|,)\s*basic\b/i.test(schemes)
}
